"""The database fails, and comes back; or another one takes its place. A server of each story's own."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.cluster.people import answered, back, closing, heard, person, presence, program, said_in, say, speak
from tests.cluster.stage import Stage, story
from tests.live.daemon import exchange, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engine import Engine
    from tests.live.daemon import Daemon, Program

DATABASE = "chat"

TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chat' AND pid <> pg_backend_pid()"

CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'chat'"

FULL = """CREATE FUNCTION chat.no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_space BEFORE INSERT ON chat.events EXECUTE FUNCTION chat.no_space()"""


REFUSED = "*** Your line was not said, it can't be stored now:"


class Talk:
    """Two programs on two nodes who talk in a room, one with keys and one without, and what they are answered."""

    def __init__(self, ann: Program, bob: Program) -> None:
        self.both = [ann, bob]
        self._lines: dict[str, tuple[Program, int]] = {}

    def say(self, count: int) -> None:
        """Say lines, and wait for no answer."""
        for number in range(len(self._lines), len(self._lines) + count):
            speaker = self.both[number % 2]
            key = {"key": str(number)} if number % 2 else {}
            self._lines[str(number)] = speaker, speaker.ask("say", room="r", text=str(number), **key)

    def while_it_goes_on(self, happens: Callable[[], object]) -> None:
        """Something happens while lines flow; in the end each of them is answered."""
        self.say(100)
        exchange(self.both, lambda: len(self.shown) >= 10, "they talk")
        happens()
        self.say(100)
        exchange(self.both, self.is_answered, "all is answered", 30)

    @property
    def shown(self) -> list[str]:
        return [event["text"] for event in self.both[0].events("r")]

    def is_answered(self) -> bool:
        return all(speaker.answers(id_) for speaker, id_ in self._lines.values())

    def refused(self) -> list[str]:
        """What was answered otherwise than by ``ok``."""
        return [text for text, (speaker, id_) in self._lines.items() if speaker.answers(id_)[0]["type"] != "ok"]

    def check(self) -> None:
        """Nothing was refused, lost or doubled; everybody was shown the same, each one's lines in order."""
        exchange(self.both, lambda: all(len(one.events("r")) >= len(self._lines) for one in self.both), "all is shown")
        ann, bob = [one.events("r") for one in self.both]
        assert not self.refused()
        assert ann == bob
        assert [event["seq"] for event in ann] == list(range(1, len(self._lines) + 1))
        for who in range(2):
            mine = [int(event["text"]) for event in ann if int(event["text"]) % 2 == who]
            assert mine == list(range(who, len(self._lines), 2))


def start(stage: Stage, engine: Engine, hosts: str = "") -> tuple[Talk, list[Daemon]]:
    """Two nodes, on whose database ann and bob talk."""
    url = engine.create(DATABASE)
    if hosts:
        url = f"postgresql://chat@{hosts}/{DATABASE}?target_session_attrs=read-write"
    nodes = stage.nodes(url, url)
    return Talk(*(program(node, name, "r") for node, name in zip(nodes, ("ann", "bob"), strict=True))), nodes


@story
def test_connections_ended(stage: Stage) -> None:
    """All connections to the database are ended, again and again, while lines flow: a pause, and nothing else."""
    engine = stage.engine().make()
    talk, (here, _) = start(stage, engine)
    tom = person(here, "tom", "r")
    for _ in range(5):
        talk.while_it_goes_on(lambda: engine.sql(TERMINATE, DATABASE))
    talk.check()
    exchange([tom], lambda: len([line for line in tom.lines if ":" in line]) >= 1000, "all is shown")
    assert not tom.heard("database")
    assert not tom.heard("not said")


@story
def test_database_restarts(stage: Stage) -> None:
    """The database is stopped, or crashes, and comes back: a pause, and nothing else."""
    engine = stage.engine(fsync="on").make()
    talk, (here, there) = start(stage, engine)
    tom, eve = person(here, "tom", "r"), person(there, "eve", "r")
    heard(tom, "eve")

    def restart(how: signal.Signals) -> None:
        engine.stop(how)
        engine.start()

    talk.while_it_goes_on(lambda: restart(signal.SIGINT))
    talk.while_it_goes_on(lambda: restart(signal.SIGKILL))
    talk.check()
    for caller in (tom, eve):
        heard(caller, ": 399")
        assert not [line for line in caller.lines if "left" in line or "database" in line or "not said" in line]
    assert talk.both[0].call("who", room="r")["members"] == ["ann", "bob", "eve", "tom"]


@story
def test_database_refuses(stage: Stage) -> None:
    """A database that is full, or read-only, refuses at once, with a sentence; afterwards it goes on."""
    engine = stage.engine().make()
    talk, (here, _) = start(stage, engine)
    ann, bob = talk.both
    tom = person(here, "tom", "r")

    def reconnect() -> None:
        """All connections are ended, and the nodes know it: a line that was on its way would have to wait."""
        engine.sql(TERMINATE, DATABASE)
        until(lambda: int(engine.sql(CONNECTIONS)) >= 2, "the nodes listen again")

    def is_said(text: str) -> bool:
        return bool(ann.call("say", room="r", text=text)["type"] == "ok")

    def refuse(how: str, back: Callable[[], object], word: str) -> None:
        mark = len(tom.lines)
        engine.sql(how, DATABASE)
        reconnect()
        until(lambda: not is_said(f"before {word}"), "it is refused")
        assert ann.call("say", room="r", text=f"no {word}")["code"] == "not-stored"
        speak(tom, f"nor {word}")
        exchange([tom], lambda: any(REFUSED in line for line in tom.lines[mark:]), "it is refused")
        assert ann.call("ping")["type"] == "pong"
        back()
        reconnect()
        until(lambda: is_said(f"after {word}"), "it goes on")
        heard(tom, f"ann: after {word}")

    refuse(FULL, lambda: engine.sql("DROP FUNCTION chat.no_space() CASCADE", DATABASE), "full")
    read_only = "default_transaction_read_only"
    refuse(
        f"ALTER DATABASE {DATABASE} SET {read_only} = on",
        lambda: engine.sql(f"ALTER DATABASE {DATABASE} RESET {read_only}"),
        "read-only",
    )
    assert not tom.heard("lost its database")
    for reader in (ann, bob):
        assert not [text for text in said_in(reader, "r") if text.startswith(("no ", "nor "))]


def with_standby(stage: Stage) -> tuple[Engine, Engine, str]:
    """A primary and its standby, and the hosts of both."""
    primary = stage.engine(wal_level="replica", wal_retrieve_retry_interval="100ms").make()
    standby = stage.engine(wal_retrieve_retry_interval="100ms").follow(primary)
    return primary, standby, f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"


@story
def test_failover(stage: Stage) -> None:
    """Failover to a synchronous standby while lines flow: a pause, and nothing else."""
    primary, standby, hosts = with_standby(stage)
    talk, (here, _) = start(stage, primary, hosts)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql("SELECT pg_reload_conf()")
    tom = person(here, "tom", "r")

    def fail_over() -> None:
        primary.stop(signal.SIGKILL)
        standby.promote()

    talk.while_it_goes_on(fail_over)
    talk.check()
    heard(tom, ": 199")
    assert not [line for line in tom.lines if "database" in line or "not said" in line or "lost" in line]


@story
def test_failover_that_loses(stage: Stage) -> None:
    """Failover to a standby that was behind: people are told, programs come back and see where the log ends."""
    primary, standby, hosts = with_standby(stage)
    talk, (here, there) = start(stage, primary, hosts)
    ann, bob = talk.both
    tom, eve = person(here, "tom", "r"), person(there, "eve", "r")
    heard(tom, "eve")
    assert ann.call("say", room="r", text="kept")["seq"] == 1
    until(lambda: standby.sql("SELECT seq FROM chat.rooms WHERE name = 'r'", DATABASE) == "1", "the standby has it")
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''")
    standby.sql("SELECT pg_reload_conf()")
    until(lambda: standby.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0", "the standby is behind")
    ids = say(ann, "r", [f"lost {number}" for number in range(5)])
    assert answered(ann, ids, [bob]) == ["ok"] * 5
    exchange([bob, eve, tom], lambda: bob.events("r")[-1]["seq"] == 6 and eve.heard("lost 4"), "all is shown")
    heard(tom, "lost 4")
    primary.stop(signal.SIGKILL)
    standby.promote()
    # Somebody goes on at once, before anybody knows.
    speak(tom, "here we are")
    sentence = "*** The server has lost what was said last in #r: it is not in the log any more."
    for caller in (tom, eve):
        heard(caller, sentence)
        heard(caller, "tom: here we are")
        assert caller.lines.count(sentence) == 1
    again = {}
    for one, node in ((ann, here), (bob, there)):
        assert closing(one) == "log-lost"
        again[one] = back(node, one)
        joined = again[one].call("join", room="r", after=6)
        assert joined["seq"] == 2
    for node in (here, there):
        assert "The log of #r ends at" in node.log
    assert again[ann].call("say", room="r", text="on we go")["seq"] == 3
    exchange([*again.values()], lambda: bool(again[bob].events("r")), "it is shown")
    assert [event["seq"] for event in again[bob].events("r")] == [3]
    assert said_in(again[bob], "r") == ["kept", "here we are", "on we go"]
    heard(eve, "on we go")
    assert not presence(again[bob], "r", "left")
