"""Names, sessions and rosters of two nodes over one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engines import live, soon, until
from tests.people.cases import Somebody, lapse, refusal, refused, sql, two_nodes
from twistedchat.postgres.errors import AnswerError, LostError

if TYPE_CHECKING:
    from collections.abc import Sequence


@live
async def test_a_name_is_one_persons() -> None:
    """A name, and all that look like it, is one person's on all nodes, until it is given back."""
    async with two_nodes() as (a, b):
        bob = await a.come("Bob")
        assert (await refusal(b, "Bob")).text == "The name Bob is taken. Choose another one."
        assert "b0b looks like Bob" in (await refusal(b, "b0b")).text
        bob.close()
        await until(lambda: a.people.is_settled, "the name is given back")
        await b.come("b0b")
        assert (await refusal(a, "bob")).code == "name-taken"


@live
async def test_rename() -> None:
    """A rename gives the old name back and takes the new one; one that is refused changes nothing."""
    async with two_nodes() as (a, b):
        bob, amy = await a.come("bob", "lobby"), await b.come("amy")
        await b.watch("lobby")
        assert (await refused(a.people.rename(bob, "amy"))).code == "name-taken"
        assert (await refusal(b, "bob")).code == "name-taken"
        await a.people.rename(bob, "bea")
        bob.name = "bea"
        await b.people.rename(amy, "bob")
        await until(lambda: b.others["lobby"] == ["bea"], "the roster")
        assert ("bob", "bea") in b.hints


@live
async def test_rosters() -> None:
    """Who comes and goes on one node is known on the other, with parting words, and gone when the room is not."""
    async with two_nodes() as (a, b):
        await a.come("ann", "lobby")
        await until(lambda: a.people.is_settled, "told")
        assert await b.watch("lobby") == ["ann"]
        bob = await a.come("bob", "lobby", "tea")
        await until(lambda: b.others["lobby"] == ["ann", "bob"], "bob is there")
        assert "tea" not in b.others
        bob.close("so long")
        await until(lambda: b.others["lobby"] == ["ann"], "bob has left")
        assert ("bob", "so long") in b.hints


@live
async def test_glimpse() -> None:
    """Who is in a room that nobody here is in is known after a moment."""
    async with two_nodes() as (a, b):
        assert b.people.glimpse("lobby") == ()
        await a.come("ann", "lobby")
        await until(lambda: [*b.people.glimpse("lobby")] == ["ann"], "ann is seen")


@live
async def test_session_goes_on_elsewhere() -> None:
    """A session is taken up at another node: name and rooms stay, the others see nothing, the old node lets go."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", "tea", resumable=True)
        await until(lambda: a.people.is_settled, "told")
        assert await b.watch("lobby") == ["ann"]
        here = await b.go_on(ann.token)
        assert here is not None
        assert (here.name, sorted(here.rooms), here.token) == ("ann", ["lobby", "tea"], ann.token)
        assert here.profile == ann.profile
        await until(lambda: ann.told == ["taken-over moved"], "the old node lets go")
        assert (await refusal(a, "ann")).code == "name-taken"
        # And back again.
        back = await a.go_on(here.token)
        assert back is not None
        await until(lambda: here.told == ["taken-over moved"], "the old node lets go")
        assert back.told == []
        assert await b.people.resume("nonsense") is None


@live
async def test_lost_session() -> None:
    """The name of a session that is lost is free when it is; then nobody takes it up."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", resumable=True)
        a.people.linger(ann)
        await until(lambda: a.people.is_settled, "told")
        error = await refusal(b, "ann")
        assert 55 <= int(str(error.facts["free_in"])) <= 60
        await sql(b, "UPDATE chat.people SET until = chat.now_ms() - 1")
        assert await b.go_on(ann.token) is None
        await b.come("ann")


@live
async def test_arrival_that_nobody_waits_for() -> None:
    """A session that has come, and whose connection is lost before it is taken up, can be taken up again."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", resumable=True)
        await until(lambda: a.people.is_settled, "told")
        assert await b.people.resume(ann.token) is not None
        assert (await refusal(b, "ann")).facts == {"free_in": 60}
        here = await b.go_on(ann.token)
        assert here is not None
        assert here.name == "ann"


@live
async def test_private_lines() -> None:
    """A private line is answered when the other node's person has taken it, or why not; with any text."""
    async with two_nodes() as (a, b):
        ann, bob = await a.come("ann"), await b.come("bob")
        found = await a.people.find("B0B")
        assert found is not None
        assert found.name == "bob"
        await soon(found.hear(ann, "hi\0 ü", 7))
        assert bob.told == ["ann: hi\0 ü at 7"]
        for text, code in (("deaf", "not-reading"), ("late", "not-here")):
            if text == "late":
                bob.close()
                await until(lambda: b.people.is_settled, "bob has left")
            assert (await refused(found.hear(ann, text, 7))).code == code
        assert await a.people.find("bob") is None


@live
async def test_private_line_to_a_dead_node() -> None:
    """A private line that no node takes is not acknowledged, and withdrawn."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann")
        await b.come("bob")
        b.die()
        found = await a.people.find("bob")
        assert found is not None
        error = await refused(found.hear(ann, "hi", 7))
        assert (error.code, error.text[:24]) == ("not-here", "bob can't be reached now")
        assert await sql(a, "SELECT count(*) FROM chat.tells") == [("0",)]


@live
async def test_node_that_dies() -> None:
    """When a node's lease has lapsed, its people without a session have left, and the others can be taken up."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", resumable=True)
        await a.come("bob", "lobby")
        await until(lambda: a.people.is_settled, "told")
        assert await b.watch("lobby") == ["ann", "bob"]
        a.die()
        await lapse(a, b)
        await until(lambda: b.others["lobby"] == ["ann"], "bob has left")
        await b.come("bob")
        assert (await refusal(b, "ann")).facts.get("free_in")
        assert await b.go_on(ann.token) is not None


@live
async def test_node_that_stops() -> None:
    """A node that stops says so: who has a session can go on elsewhere at once, and the others have left."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", resumable=True)
        bob = await a.come("bob", "lobby")
        await until(lambda: a.people.is_settled, "told")
        await b.watch("lobby")
        bob.close()
        a.people.linger(ann)
        await a.stop()
        await until(lambda: b.others["lobby"] == ["ann"], "bob has left")
        await b.come("bob")
        assert await b.go_on(ann.token) is not None


@live
async def test_lease_lapsed() -> None:
    """A node that was cut off refuses all, claims its people anew, and lets go of who has lost the name."""
    async with two_nodes() as (a, b):
        ann, bob = await a.come("ann", "lobby", resumable=True), await a.come("bob", "lobby")
        cat, dan = await a.come("cat", "lobby"), await a.come("dan", resumable=True)
        await until(lambda: a.people.is_settled, "told")
        await b.watch("lobby")
        await lapse(a, b)
        # Nobody waits for the beat.
        await b.come("bob")
        assert await b.go_on(dan.token) is not None
        a.people.entered(ann, "tea")
        ann.rooms.append("tea")
        a.people._beat.now()  # noqa: SLF001  it would come within two seconds
        await until(lambda: a.told, "it is cut off")
        await until(lambda: a.told == ["cut off: not-stored", "joined up"], "it comes back")
        sentences = [line for line in ann.told if "database" in line]
        assert (len(sentences), len(ann.told), cat.told) == (2, 2, ann.told)
        assert bob.told[1:] == ["name-lost"]
        assert "taken-over moved" in dan.told
        assert a.people.trouble == ""
        await until(lambda: b.others["lobby"] == ["ann", "cat"], "who was kept is seen")
        assert await sql(b, "SELECT room FROM chat.here WHERE name = 'ann' ORDER BY room") == [("lobby",), ("tea",)]
        assert (await refusal(b, "ann")).code == "name-taken"


@live
async def test_name_that_was_another_s_meanwhile() -> None:
    """A name that somebody else had while the node was cut off is lost, though that one has gone again."""
    async with two_nodes() as (a, b):
        bob, ann = await a.come("bob"), await a.come("ann")
        await until(lambda: a.people.is_settled, "told")
        await lapse(a, b)
        (await b.come("b0b")).close()
        await until(lambda: b.people.is_settled, "told")
        a.people._beat.now()  # noqa: SLF001  it would come within two seconds
        await until(lambda: a.told == ["cut off: not-stored", "joined up"], "it comes back")
        assert "name-lost" in bob.told
        assert "name-lost" not in ann.told
        await b.come("bob")


@live
async def test_beat() -> None:
    """The beat makes good whatever a wake-up has missed: heads, logs cut short, rosters, people, private lines."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", resumable=True)
        bob = await a.come("bob", "lobby")
        await until(lambda: a.people.is_settled, "told")
        a.seqs |= {"lobby": (2, 20), "new": (0, 0), "cut": (5, 50)}
        await a.watch("tea")
        await sql(b, "INSERT INTO chat.rooms (name, seq, at) VALUES ('lobby', 3, 30), ('cut', 4, 90)")
        await sql(b, "INSERT INTO chat.events SELECT id, 2, 20, 'say', 'x', 'x' FROM chat.rooms WHERE name = 'lobby'")
        # Of the log that was cut one line is left, and another has been said since.
        for seq, at in (3, 30), (4, 90):
            line = f"SELECT id, {seq}, {at}, 'say', 'x', 'x' FROM chat.rooms WHERE name = 'cut'"
            await sql(b, f"INSERT INTO chat.events {line}")
        # What nobody was woken for.
        await sql(b, f"INSERT INTO chat.people VALUES ('eve', '{b.database.node}')")
        await sql(b, "INSERT INTO chat.here VALUES ('tea', 'eve')")
        await sql(b, "INSERT INTO chat.rosters VALUES ('tea', 999999)")
        await sql(b, f"UPDATE chat.people SET node = '{b.database.node}' WHERE name = 'ann'")
        await sql(b, "DELETE FROM chat.people WHERE name = 'bob'")
        await sql(
            b,
            "INSERT INTO chat.tells (node, to_name, who, text, at, state)"
            f"VALUES ('{a.database.node}', 'bob', 'eve', '\"psst\"', 1, 'x')",
        )
        a.people._beat.now()  # noqa: SLF001  it would come within two seconds
        await until(lambda: a.others.get("tea") == ["eve"], "the roster")
        await until(lambda: bob.told == ["eve: psst at 1"], "the private line")
        await until(lambda: ann.told == ["taken-over moved"], "the session")
        assert ("head", "lobby", 3) in a.told
        assert a.told.index(("lost", "cut", 3, 30)) < a.told.index(("head", "cut", 4))
        await until(lambda: a.people.is_settled, "settled")
        assert (await refusal(b, "bob")).code == "name-taken"


@live
async def test_heard_while_something_waits() -> None:
    """What other nodes tell is heard at once, also while a change of names waits for that of another node."""
    async with two_nodes() as (a, b):
        heard: list[str] = []
        a.database.listen("news", heard.append)
        await b.database.append.call("BEGIN")
        await b.database.append.call("SELECT chat.lock_people()")
        coming = soon(a.come("ann"))
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
        while not await sql(b, waiting):
            pass
        await sql(b, "SELECT pg_notify('chat', 'b news here')")
        await until(lambda: heard == ["here"], "the news")
        assert not coming.called
        await b.database.append.call("COMMIT")
        await coming


@live
async def test_a_change_that_comes_late_is_not_made() -> None:
    """What was sent over a connection that was given up may arrive behind what was sent later: it changes nothing."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby")
        await until(lambda: a.people.is_settled, "told")
        changes = '[["leave", "lobby", "ann", ""], ["release", "ann"]]'
        with pytest.raises(AnswerError, match="comes late"):
            await a.database.people.call("SELECT chat.people($1, $2, $3)", a.database.node, "1", changes)
        come_back = "SELECT chat.come_back($1, $2, $3, $4, $5, $6)"
        with pytest.raises(AnswerError, match="comes late"):
            await a.database.people.call(come_back, a.database.node, "1", "a", "[]", "10000", "60000")
        assert await b.watch("lobby") == ["ann"]
        assert (await refusal(b, "ann")).code == "name-taken"
        ann.close()
        await until(lambda: a.people.is_settled, "told")
        await b.come("ann")


@live
async def test_not_ready() -> None:
    """Without an answer from the database nobody comes in, and nothing is left behind."""
    async with two_nodes() as (a, b):
        a.database.people.close()
        person = Somebody(a.people)
        for ask in (a.people.claim("ann", person), a.people.resume("token")):
            assert (await refused(ask)).code == "not-ready"
        assert a.people.count() == 0
        await b.come("ann")


@live
async def test_move_without_an_answer() -> None:
    """A session that may have come is taken for one that is elsewhere, until it is nobody's and can be taken up."""
    async with two_nodes() as (a, b):
        ann = await a.come("ann", "lobby", resumable=True)
        await until(lambda: a.people.is_settled, "told")
        assert await b.watch("lobby") == ["ann"]
        changes = b.people._changes  # noqa: SLF001  nothing else loses an answer
        ask = changes._call  # noqa: SLF001  likewise

        async def lost(ops: Sequence[Sequence[object]]) -> Sequence[object] | None:
            await ask(ops)
            raise LostError("The cable is cut.")

        changes._call = lost  # noqa: SLF001  likewise
        assert (await refused(b.people.resume(ann.token))).code == "not-ready"
        reading = soon(b.people.who("lobby"))
        changes._call = ask  # noqa: SLF001  likewise
        assert [*await reading] == ["ann"]
        assert await sql(a, "SELECT node FROM chat.people") == [("-",)]
        here = await b.go_on(ann.token)
        assert here is not None
        await until(lambda: ann.told == ["taken-over moved"], "the old node lets go")
