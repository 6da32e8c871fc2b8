"""Nodes that die, stop, freeze or lose the database, and what people see of it: one database, a node each."""

from __future__ import annotations

import http.client
import re
import signal
import time
from typing import TYPE_CHECKING

from tests.cluster.people import (
    answered,
    back,
    closing,
    heard,
    person,
    presence,
    program,
    said_in,
    say,
    speak,
    stands,
)
from tests.cluster.stage import Stage, story
from tests.live.daemon import exchange, until

if TYPE_CHECKING:
    from tests.live.daemon import Daemon

LEASE_SECONDS = 10.0


@story
def test_node_killed(stage: Stage) -> None:
    """After kill -9 a program goes on elsewhere and misses nothing; who was at telnet has left, after a while."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    watch, eve = program(here, "watch", "r"), person(here, "eve", "r")
    ann, tom = program(there, "ann", "r"), person(there, "tom", "r")
    heard(watch, "tom")
    heard(eve, "tom")
    assert ann.call("say", room="r", text="one")["type"] == "ok"
    there.kill()
    exchange([ann, tom], lambda: ann.over and tom.over, "the connections are lost")
    killed = time.monotonic()
    assert "database" not in "".join(tom.lines)
    # The name is refused until the lease is over.
    late = here.caller()
    speak(late, "tom")
    heard(late, "*** The name tom is taken. Choose another one.")
    # The session is taken up before that.
    assert watch.call("say", room="r", text="two")["type"] == "ok"
    again = back(here, ann)
    welcome = again.call("join", room="r", after=1)
    assert again.messages[0]["name"] == "ann"
    assert again.messages[0]["resumed"]
    assert welcome["type"] == "joined"
    heard(again, '"text":"two"')
    exchange([watch, eve], lambda: "tom" in presence(watch, "r", "left"), "tom has left")
    assert time.monotonic() - killed < 2 * 12
    heard(eve, "*** tom left.")
    speak(late, "tom")
    heard(late, "*** You are tom")
    assert "ann" not in presence(watch, "r", "left")
    assert not eve.heard("ann left")
    stands(watch, "r", ["one", "two"])


@story
def test_node_stopped(stage: Stage) -> None:
    """At SIGTERM lines are answered, then ``closing``; sessions go on elsewhere, and nobody is told that they left."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    watch, eve = program(here, "watch", "r"), person(here, "eve", "r")
    ann, tom = program(there, "ann", "r"), person(there, "tom", "r")
    heard(watch, "tom")
    texts = [f"line {number}" for number in range(200)]
    ids = say(ann, "r", texts)
    exchange([ann], lambda: bool(ann.answers(ids[0])), "the first is stored")
    began = time.monotonic()
    process = there.process
    process.send_signal(signal.SIGTERM)
    assert closing(ann) == "stopping"
    heard(tom, "*** The server is stopping. Goodbye.")
    process.wait(2 * 5)
    assert time.monotonic() - began < 2 * 5
    assert "All that was said is stored." in there.log
    oks = [text for id_, text in zip(ids, texts, strict=True) if ann.answers(id_)]
    assert all(ann.answers(id_)[0]["type"] == "ok" for id_ in ids[: len(oks)])
    again = back(here, ann)
    again.call("join", room="r", after=0)
    exchange([again], lambda: len(again.events("r")) >= len(oks), "all is shown")
    heard(eve, "*** tom left")
    stands(watch, "r", texts[: len(oks)])
    assert "ann" not in presence(watch, "r", "left") + presence(watch, "r", "joined")[2:]
    assert not eve.heard("ann left")


@story
def test_node_stopped_while_the_database_is_silent(stage: Stage) -> None:
    """At SIGTERM while the database is silent the node ends in time, and no line is called refused."""
    url = stage.database()
    proxy, far = stage.proxy(url)
    (there,) = stage.nodes(far)
    ann, tom = program(there, "ann", "r"), person(there, "tom", "r")
    proxy.is_hole = True
    ids = say(ann, "r", ["one", "two"])
    speak(tom, "three")
    assert ann.call("ping")["type"] == "pong"
    process = there.process
    process.send_signal(signal.SIGTERM)
    assert closing(ann) == "stopping"
    heard(tom, "*** The server is stopping. Goodbye.")
    process.wait(2 * 5)
    assert not any(ann.answers(id_) for id_ in ids)
    assert not tom.heard("not said")
    assert "what became of the last lines is not known" in there.log


@story
def test_cut_off_for_a_moment(stage: Stage) -> None:
    """Cut off for less than a lease: lines wait, nobody sees anything, and all is answered truly afterwards."""
    url = stage.database()
    proxy, far = stage.proxy(url)
    here, there = stage.nodes(url, far)
    watch, eve = program(here, "watch", "r"), person(here, "eve", "r")
    ann, tom = program(there, "ann", "r"), person(there, "tom", "r")
    heard(watch, "tom")
    heard(eve, "tom")
    heard(eve, "tom is here now in #lobby.")
    told = len(watch.messages), len(eve.lines)
    for way in ("cut", "hole"):
        setattr(proxy, f"is_{way}", True)
        ids = say(ann, "r", [f"{way} 1", f"{way} 2"])
        speak(tom, f"{way} 3")
        new, history = there.program("new"), ann.ask("history", room="old", limit=5)
        assert answered(ann, [history], [new]) == ["not-readable"]
        assert answered(new, [new.last_id], [ann]) == ["not-ready"]
        assert not any(ann.answers(id_) for id_ in ids)
        setattr(proxy, f"is_{way}", False)
        assert answered(ann, ids, [tom]) == ["ok", "ok"]
        heard(tom, f"tom: {way} 3")
    exchange([watch, eve], lambda: len(watch.events("r")) == 6, "all is shown")
    assert said_in(watch, "r") == sorted(event["text"] for event in watch.events("r"))
    assert [each["type"] for each in watch.messages[told[0] :] if "re" not in each] == ["event"] * 6
    assert not [line for line in eve.lines[told[1] :] if line.startswith("***")]
    assert not tom.heard("database")


@story
def test_cut_off_for_long(stage: Stage) -> None:
    """Cut off for more than a lease: all is refused, it is said once, and once that it is over; names may be lost."""
    url = stage.database()
    proxy, far = stage.proxy(url)
    here, there = stage.nodes(url, far, options=["--health=tcp:0:interface=127.0.0.1"])
    watch, eve = program(here, "watch", "r"), person(here, "eve", "r")
    ann, tom, kim = program(there, "ann", "r"), person(there, "tom", "r"), person(there, "kim", "r")
    heard(watch, "kim")
    assert health(there) == 200
    began = time.monotonic()
    proxy.is_cut = True
    ids = say(ann, "r", ["first"])
    ann.call("ping")
    ids += say(ann, "r", ["second", "third"])
    speak(tom, "fourth", "fifth")
    sentence = "*** The server has lost its database. Nothing can be said until it is back."
    heard(tom, sentence)
    assert time.monotonic() - began < 2 * LEASE_SECONDS
    assert health(there) == 503
    assert ann.call("say", room="r", text="sixth")["code"] == "not-stored"
    assert answered(ann, ids[1:]) == ["not-stored"] * 2
    speak(tom, "seventh")
    heard(watch, "kim", 2 * 12)
    exchange([watch, eve], lambda: {"tom", "kim"} <= {*presence(watch, "r", "left")}, "they have left")
    heard(eve, "kim")
    thief = here.caller()
    speak(thief, "kim", "/join r", "it is me")
    heard(thief, "kim: it is me")
    assert not ann.answers(ids[0])
    proxy.is_cut = False
    heard(tom, "*** The database is back: you can talk again.")
    exchange([kim], lambda: kim.over, "kim is let go")
    assert kim.lines[-1] == (
        "*** The server was cut off for a while, and somebody else has your name now. Please connect again."
    )
    until(lambda: health(there) == 200, "it is healthy")
    outcome = answered(ann, ids[:1])
    # It was in a batch: known when the database answers. The others were not, and nobody stands under a lost name.
    known = ["first"] * (outcome == ["ok"])
    until(lambda: sorted(said_in(watch, "r")) == [*known, "it is me"], "the log has these, and no others")
    exchange([watch], lambda: "tom" in presence(watch, "r", "joined")[-2:], "tom is here again")
    assert ann.call("say", room="r", text="again")["type"] == "ok"
    speak(tom, "and me")
    heard(eve, "tom: and me")
    notices = [line for line in tom.lines if line.startswith("***") and "database" in line]
    assert (notices.count(sentence), len([line for line in notices if "The database is back" in line])) == (1, 1)
    assert not eve.heard("database")


def health(node: Daemon) -> int:
    """The status that a balancer is told."""
    port = re.findall(r"Listening on .*port=(\d+)", node.log)[-1]
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


@story
def test_frozen(stage: Stage) -> None:
    """SIGSTOP for more than a lease: what was under way is answered truly, and no line stands under a lost name."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    watch = program(here, "watch", "r")
    ann, tom = program(there, "ann", "r"), person(there, "tom", "r")
    heard(watch, "tom")
    ids = say(ann, "r", [f"line {number}" for number in range(500)])
    exchange([ann], lambda: bool(ann.answers(ids[0])), "some are stored")
    there.process.send_signal(signal.SIGSTOP)
    # What a frozen node's kernel still takes.
    late = say(ann, "r", [f"late {number}" for number in range(20)])
    speak(tom, "I am tom")
    exchange([ann, tom], lambda: not ann.outbox and not tom.outbox, "all is sent")
    exchange([watch], lambda: "tom" in presence(watch, "r", "left"), "tom has left")
    thief = here.caller()
    speak(thief, "tom", "/join r", "so am I")
    heard(thief, "tom: so am I")
    mark = len(said_in(watch, "r"))
    there.process.send_signal(signal.SIGCONT)
    exchange([ann, tom], lambda: tom.over, "tom is let go")
    assert tom.heard("somebody else has your name now")
    codes = answered(ann, ids + late)
    stands: list[tuple[str, str]] = []
    while page := watch.call("history", room="r", after=len(stands), limit=500)["events"]:
        stands += [(event["who"], event["text"]) for event in page]
    texts = [f"line {number}" for number in range(500)] + [f"late {number}" for number in range(20)]
    assert [text for who, text in stands if who == "ann"] == [
        text for text, code in zip(texts, codes, strict=True) if code == "ok"
    ]
    assert {*codes} <= {"ok", "not-stored"}
    assert ("tom", "I am tom") not in stands[mark:]


@story
def test_fenced(stage: Stage) -> None:
    """What a node does not know yet the database does: without lease or name no line is stored, in that moment."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    watch, ann, tom = program(here, "watch", "r"), program(there, "ann", "r"), person(there, "tom", "r")
    heard(watch, "tom")
    codes = []
    for number in range(3):
        stage.sql(url, "UPDATE chat.nodes SET until = 1 WHERE id = (SELECT node FROM chat.people WHERE name = 'ann')")
        codes += answered(ann, say(ann, "r", [str(number)]))
        until(lambda: ann.call("say", room="r", text="on")["type"] == "ok", "the node comes back")
    # The beat may have been faster, once.
    assert codes.count("not-stored") >= 2
    kept = [str(number) for number, code in enumerate(codes) if code == "ok"]
    until(lambda: [text for text in said_in(watch, "r") if text != "on"] == kept, "the log has these, and no others")
    heard(tom, "The database is back")
    # As if somebody at a third node had it.
    stage.sql(url, "INSERT INTO chat.nodes (id, name, until) VALUES ('third', 'c', chat.now_ms() + 60000)")
    stage.sql(url, "UPDATE chat.people SET node = 'third' WHERE name = 'tom'")
    speak(tom, "I am not tom")
    exchange([tom], lambda: tom.over, "tom is let go")
    assert tom.heard("*** Your line was not said")
    assert tom.heard("somebody else has your name now")
    assert "I am not tom" not in said_in(watch, "r")
    assert ann.call("say", room="r", text="end")["type"] == "ok"
