"""Nodes as one chat: names, rooms and news, also when no node is woken."""

from __future__ import annotations

from tests.cluster.people import answered, heard, person, presence, program, shown, speak
from tests.cluster.stage import Stage, story
from tests.live.daemon import exchange, until


@story
def test_names(stage: Stage) -> None:
    """A name, and whatever looks like it, is one person's on all nodes, with the same sentences as on one."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    tom = person(here, "Tom", "r")
    late = there.caller()
    speak(late, "T0m")
    heard(late, "*** T0m looks like Tom, which is taken. Choose a name that differs more.")
    speak(late, "bea", "/name tom")
    heard(late, "The name tom is taken")
    speak(tom, "/name kim", "/tell bea hi")
    heard(tom, "You tell bea: hi")
    heard(late, "kim tells you: hi")
    speak(late, "/reply hello", "/name tom")
    heard(tom, "bea tells you: hello")
    heard(late, "You were bea and are tom now.")
    speak(late, "/quit")
    exchange([late], lambda: late.over, "tom is gone")
    ann = program(there, "ann", "r")
    ann.close()
    heard(tom, "ann")


@story
def test_rooms_that_look_alike(stage: Stage) -> None:
    """Of rooms that look alike one exists, also when they are opened on two nodes at once."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    ann, bob = here.program("ann"), there.program("bob")
    for number in range(20):
        ids = ann.ask("join", room=f"Tea{number}"), bob.ask("join", room=f"tea{number}")
        assert answered(ann, ids[:1], [bob]) + answered(bob, ids[1:]) == ["joined"] * 2
        [room] = {ann.answers(ids[0])[0]["room"], bob.answers(ids[1])[0]["room"]}
        assert ann.call("say", room=f"tEa{number}", text="hi")["room"] == room
        shown(room, 1, bob)
    until(lambda: {each["members"] for each in ann.call("rooms")["rooms"]} == {2}, "each room has two")
    assert sorted(each["name"].lower() for each in ann.call("rooms")["rooms"]) == sorted(f"tea{n}" for n in range(20))


@story
def test_deaf(stage: Stage) -> None:
    """Where no node is ever woken, lines, people and private lines come within a few seconds all the same."""
    url = stage.database()
    # A function of the same name that is found first, and tells nobody.
    stage.sql(url, "CREATE SCHEMA deaf")
    stage.sql(url, "CREATE FUNCTION deaf.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''")
    stage.sql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET search_path = deaf, pg_catalog, public")
    here, there = stage.nodes(url, url)
    ann, eve = program(here, "ann", "r"), person(here, "eve", "r")
    bob = program(there, "bob", "r")
    exchange([ann, eve], lambda: "bob" in presence(ann, "r", "joined"), "bob is here", 6)
    heard(eve, "*** bob is here now.", 6)
    for number in range(3):
        assert bob.call("say", room="r", text=f"hi {number}")["type"] == "ok"
        shown("r", number + 1, ann, seconds=6)
    heard(eve, "bob: hi 2", 6)
    # It is delivered; only whether it was is not known.
    assert bob.call("tell", to="ann", text="psst")["text"].endswith("whether your line was seen is not known.")
    heard(ann, "psst", 6)
    bob.call("leave", room="r")
    exchange([ann, eve], lambda: "bob" in presence(ann, "r", "left"), "bob has left", 6)


@story
def test_ear_lost(stage: Stage) -> None:
    """Where only the listening connection is lost, again and again, nothing is missed."""
    url = stage.database()
    here, there = stage.nodes(url, url)
    ann, bob = program(here, "ann", "r"), program(there, "bob", "r")
    for number in range(20):
        killed = stage.sql(
            url,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query ~ 'LISTEN|chat.(beat|people|take|tell|mine|move|come_back)'",
        )
        assert int(killed) <= 2
        bob.call("say", room="r", text=str(number))
        shown("r", number + 1, ann, seconds=6)
    assert [event["text"] for event in ann.events("r")] == [str(number) for number in range(20)]
    assert not [each for each in ann.messages if each["type"] == "error"]
