"""The log that several nodes share: what each of them may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.internet.defer import gatherResults

from tests.engines import live, new_database, soon, until
from tests.postgres.cases import connected, say, store_at
from twistedchat.events import MAX_TEXT_BYTES, Event, Kind
from twistedchat.postgres.errors import AnswerError, LapsedError, NameLostError
from twistedchat.postgres.schema import STEPS, prepare
from twistedchat.stores.base import DamagedError, Refused, RoomSummary, Stored, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.stores.base import Outcome, Store
    from twistedchat.stores.postgres import PostgresStore

WAITING = """SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()"""

NASTY = "a\0b\r\n\x1b[31m日本 😀\uffff '\"\\ {},␀"


@pytest.fixture
def url() -> str:
    return new_database()


def events(outcomes: Sequence[Outcome]) -> list[Event]:
    """Of what stands and is new."""
    found = [outcome.event for outcome in outcomes if isinstance(outcome, Stored) and outcome.fresh]
    assert len(found) == len(outcomes)
    return found


async def log(store: Store, room: str = "lobby") -> list[Event]:
    return list(await soon(store.read(room, after=0, limit=10**6)))


async def sql(store: PostgresStore, statement: str) -> None:
    await soon(store.database.ear.call(statement))


@live
async def test_one_log(url: str) -> None:
    """Two nodes read what either appends, under the same identity."""
    async with store_at(url) as one, store_at(url) as two:
        assert one.identity == two.identity
        first = events(await soon(one.append([say("a"), say("b", "python")])))
        second = events(await soon(two.append([say("c"), say("d")])))
        assert [event.seq for event in [*first, *second]] == [1, 1, 2, 3]
        assert await log(one) == await log(two) == [first[0], *second]


@live
async def test_opposite_order(url: str) -> None:
    """Nodes that append to the same rooms in opposite order, rooms that are new included, hold up nobody for ever.

    Every room counts 1, 2, 3 … and each node's lines stand in the order in which they were sent.
    """
    rooms = [f"room{number}" for number in range(10)]

    async def talk(store: PostgresStore, who: str, order: list[str]) -> None:
        for turn in range(20):
            batch = [say(f"{turn} {part}", room, who=who) for part in range(2) for room in order[turn % 5 :]]
            assert len(events(await store.append(batch))) == len(batch)

    async with store_at(url) as one, store_at(url) as two, store_at(url) as three:
        await gatherResults(
            [
                soon(talk(one, "alice", rooms)),
                soon(talk(two, "bob", rooms[::-1])),
                soon(talk(three, "carol", rooms[5:] + rooms[:5])),
            ]
        )
        for room in rooms:
            page = await log(one, room)
            assert [event.seq for event in page] == list(range(1, len(page) + 1))
            assert [event.at for event in page] == sorted(event.at for event in page)
            for who in ("alice", "bob", "carol"):
                said = [tuple(map(int, event.text.split())) for event in page if event.who == who]
                assert said == sorted(said)
                assert said


@live
async def test_a_key_counts_on_all_nodes(url: str) -> None:
    """Of lines with the same key that come to several nodes at once, one stands, and all are told which."""

    async def talk(store: PostgresStore, who: str) -> list[Outcome]:
        answers = [await store.append([say("x"), say(f"{key} of {who}", key=str(key))]) for key in range(20)]
        return [outcome for _, outcome in answers]

    async with store_at(url) as one, store_at(url) as two:
        both = await gatherResults([soon(talk(one, "one")), soon(talk(two, "two"))])
        page = await log(one)
        assert [event.seq for event in page] == list(range(1, 61))
        for first, second in zip(*both, strict=True):
            assert isinstance(first, Stored)
            assert isinstance(second, Stored)
            assert first.event == second.event == page[first.event.seq - 1]
            assert {first.fresh, second.fresh} == {True, False}


@live
async def test_a_key_that_comes_while_another_line_waits(url: str) -> None:
    """Keys are looked up when the room is held: what another node has appended while this one waited counts."""
    async with store_at(url) as one, store_at(url) as two, connected(url) as other:
        await soon(one.open_room("lobby"))
        await soon(other.script("BEGIN; UPDATE chat.rooms SET at = at"))
        appends = [soon(store.append([say("x", key="k")])) for store in (one, two)]
        while await soon(other.call(WAITING)) != [("2",)]:
            pass
        await soon(other.script("COMMIT"))
        (first,), (second,) = [await append for append in appends]
        assert isinstance(first, Stored)
        assert isinstance(second, Stored)
        assert first.event == second.event
        assert {first.fresh, second.fresh} == {True, False}


@live
async def test_the_line_that_stands(url: str) -> None:
    """A key that stands with another line is answered with that line, whatever it is; a batch has many such cases."""
    async with store_at(url) as one, store_at(url) as two:
        stood = events(
            await soon(one.append([say(NASTY, key="k", kind=Kind.ME), say("tea", key="t", kind=Kind.TOPIC)]))
        )
        batch = [say("new"), say("other", key="k"), say("new too"), say("tea", key="t", kind=Kind.TOPIC), say("last")]
        outcomes = await soon(two.append([*batch, say(NASTY, key="k", kind=Kind.ME)]))
        assert [outcomes[1], outcomes[3], outcomes[5]] == [
            Stored(stood[0], fresh=False),
            Stored(stood[1], fresh=False),
            Stored(stood[0], fresh=False),
        ]
        assert [event.seq for event in events([outcomes[0], outcomes[2], outcomes[4]])] == [3, 4, 5]
        assert [event.text for event in await log(one)][2:] == ["new", "new too", "last"]


@live
async def test_nodes_hear_of_each_other(url: str) -> None:
    """Room and head are told to the others, also of more rooms than fit a notification; not to the node itself."""
    async with store_at(url) as one, store_at(url) as two:
        own: list[tuple[str, int]] = []
        heard: list[tuple[str, int]] = []
        one.follow(lambda room, head: own.append((room, head)))
        two.follow(lambda room, head: heard.append((room, head)))
        rooms = [f"{'ä' * 20}{number:04}" for number in range(500)]
        await soon(one.append([say("x", room) for room in [*rooms, rooms[7]]]))
        await until(lambda: len(heard) == 500, "all heads")
        assert sorted(heard) == [(room, 1 + (room == rooms[7])) for room in rooms]
        await soon(two.append([say("x", "last")]))
        await until(lambda: own, "what the other node says")
        assert own == [("last", 1)]


@live
async def test_a_lapsed_lease(url: str) -> None:
    """A node whose lease has ended stores nothing, whatever it believes; with a new lease it goes on."""
    async with store_at(url) as store:
        await sql(store, "UPDATE chat.nodes SET until = 0")
        for outcome in await soon(store.append([say("a"), say("b", key="k")])):
            assert isinstance(outcome, Refused)
            assert isinstance(outcome.error, LapsedError)
        await soon(store.database.renew())
        assert await log(store) == []
        (event,) = events(await soon(store.append([say("b", key="k")])))
        assert event.seq == 1
        await sql(store, "DELETE FROM chat.nodes")
        assert isinstance((await soon(store.append([say("c")])))[0], Refused)


@live
async def test_a_lost_name(url: str) -> None:
    """A line under a name that is another node's by now is refused; those around it are stored without a gap."""
    async with store_at(url) as store:
        await sql(store, "INSERT INTO chat.people (name, node) VALUES ('bob', 'another node')")
        await sql(store, f"INSERT INTO chat.people (name, node) VALUES ('alice', '{store.database.node}')")
        (kept,) = events(await soon(store.append([say("earlier", key="k", who="alice")])))
        batch = [
            say("1"),
            say("no", who="bob"),
            say("2"),
            say("no", who="bob", room="python", kind=Kind.TOPIC),
            say("3", who="nobody"),
            say("earlier", key="k", who="alice"),
        ]
        outcomes = await soon(store.append(batch))
        for number in (1, 3):
            outcome = outcomes[number]
            assert isinstance(outcome, Refused)
            assert isinstance(outcome.error, NameLostError)
        assert outcomes[5] == Stored(kept, fresh=False)
        assert [event.text for event in await log(store)] == ["earlier", "1", "2", "3"]
        assert [event.seq for event in events([outcomes[0], outcomes[2], outcomes[4]])] == [2, 3, 4]
        assert await soon(store.rooms()) == [RoomSummary("lobby", 4, (await log(store))[-1].at, "")]


@live
async def test_texts(url: str) -> None:
    """NULs, control characters and the longest texts come back as they were sent, in texts, topics, keys and names."""
    long = "ä" * (MAX_TEXT_BYTES // 2)
    async with store_at(url) as one, store_at(url) as two:
        drafts = [say(NASTY, NASTY, NASTY, NASTY), say(long), say("\0" * 4096), say(NASTY, kind=Kind.TOPIC), say("")]
        stored = events(await soon(one.append(drafts)))
        assert [(event.who, event.text) for event in stored] == [(draft.who, draft.text) for draft in drafts]
        assert await log(two) == stored[1:]
        assert await log(two, NASTY) == stored[:1]
        assert (await soon(two.room("lobby"))).topic == NASTY
        assert (await soon(two.append(drafts[:1])))[0] == Stored(stored[0], fresh=False)
        page = await soon(two.read("lobby", after=0, limit=9, max_bytes=2 * 4096))
        assert page == stored[1:3]


@live
async def test_no_text(url: str) -> None:
    """What can't be UTF-8 is refused by itself, also if there is nothing else in the batch."""
    async with store_at(url) as store:
        for batch in ([say("\ud800")], [say("x", key="\ud800"), say("\ud800", "python")]):
            assert all(isinstance(outcome, Refused) for outcome in await soon(store.append(batch)))
        outcomes = await soon(store.append([say("a"), say("\ud800"), say("b", key="k"), say("c", key="k")]))
        assert [type(outcome) for outcome in outcomes] == [Stored, Refused, Stored, Stored]
        assert [event.text for event in await log(store)] == ["a", "b"]


@live
async def test_a_database_that_refuses(url: str) -> None:
    """A batch that the database refuses is not stored, no line of it; the next one is."""
    async with store_at(url) as store:
        await sql(store, "ALTER TABLE chat.events ADD CHECK (text <> 'no')")
        with pytest.raises(AnswerError) as raised:
            await soon(store.append([say("a"), say("no")]))
        assert raised.value.sqlstate == "23514"
        assert await log(store) == []
        assert [event.seq for event in events(await soon(store.append([say("b")])))] == [1]


@live
async def test_rooms_that_look_alike(url: str) -> None:
    """Of rooms that look alike and are opened at the same time on several nodes, one is opened."""
    async with store_at(url) as one, store_at(url) as two:
        names = ["Lobby", "L0bby", "LOBBY", "lobby"] * 3
        opened = await gatherResults([soon((one, two)[n % 2].open_room(name)) for n, name in enumerate(names)])
        assert len(set(opened)) == 1
        (kept,) = set(opened)
        assert kept == RoomSummary(kept.name, 0, 0, "")
        assert await soon(two.room("lObby")) == kept
        assert await soon(two.rooms()) == []
        assert [event.seq for event in events(await soon(one.append([say("x", kept.name)])))] == [1]
        assert (await soon(two.open_room("lobby"))).seq == 1


@live
async def test_of_rooms_in_one_batch_the_first_counts(url: str) -> None:
    """A room that looks like two others, which look different, counts under none of its names."""
    async with store_at(url) as store:
        await soon(store.append([say("x", "ian"), say("x", "lan"), say("x", "Ian")]))
        assert [(await soon(store.room(name))).name for name in ("Ian", "IAN", "lan", "ian")] == [
            "ian",
            "ian",
            "lan",
            "ian",
        ]
        assert [room.name for room in await soon(store.rooms())] == ["Ian", "ian", "lan"]


@live
async def test_people_elsewhere(url: str) -> None:
    """A room is told with the number of people in it on other nodes; for their sake it is listed without an event."""
    async with store_at(url) as one, store_at(url) as two:
        await soon(one.open_room("lobby"))
        await soon(one.append([say("x", "python")]))
        for name, room in (("alice", "lobby"), ("bob", "lobby"), ("carol", "python")):
            await sql(one, f"INSERT INTO chat.people (name, node) VALUES ('{name}', '{one.database.node}')")
            await sql(one, f"INSERT INTO chat.here (room, name) VALUES ('{room}', '{name}')")
        assert [(room.name, room.members) for room in await soon(two.rooms())] == [("lobby", 2), ("python", 1)]
        assert [(room.name, room.members) for room in await soon(one.rooms())] == [("lobby", 0), ("python", 0)]
        assert (await soon(two.room("LOBBY"))).members == (await soon(two.open_room("lobby"))).members == 2


async def enter(store: PostgresStore, name: str, room: str = "den") -> None:
    await sql(store, f"INSERT INTO chat.people (name, node) VALUES ('{name}', '{store.database.node}')")
    await sql(store, f"INSERT INTO chat.here (room, name) VALUES ('{room}', '{name}')")


async def leave(store: PostgresStore, name: str, room: str = "den") -> None:
    """As `people.sql` does it: the person is taken out, then all are told."""
    await sql(store, f"DELETE FROM chat.people WHERE name = '{name}'")
    await sql(store, f"SELECT chat.roster_changed('{store.database.node}', ARRAY['{room}'], '[]', '[]')")


async def hidden(store: PostgresStore, room: str = "den") -> int:
    summary: RoomSummary = await soon(store.room(room))
    return summary.hidden


@live
async def test_a_closed_room_on_many_nodes(url: str) -> None:
    """It is put away when the last of its members has left, wherever; a node that has seen its own leave must wait."""
    async with store_at(url) as one, store_at(url) as two:
        await soon(one.open_room("den"))
        await soon(one.shut("den", is_shut=True))
        await enter(one, "alice")
        await enter(two, "bob")
        await soon(one.append([say("a", "den")]))
        await leave(one, "alice")
        await soon(one.put_away("den"))
        assert await hidden(one) == 0
        await soon(two.append([say("b", "den", who="bob")]))
        await leave(two, "bob")
        assert await hidden(one) == await hidden(two) == 2
        await soon(two.append([say("c", "den")]))
        assert [event.text for event in await log(one, "den")] == ["c"]
        # It is open now, and stays as it is.
        await enter(one, "alice")
        await leave(one, "alice")
        assert await hidden(one) == 2


@live
async def test_the_last_member_at_a_node(url: str) -> None:
    """A node whose last member has left puts the log away at once: what is told of that member may come later."""
    async with store_at(url) as one:
        await soon(one.open_room("den"))
        await soon(one.shut("den", is_shut=True))
        await enter(one, "alice")
        await soon(one.append([say("a", "den")]))
        await soon(one.put_away("den"))
        assert (await soon(one.open_room("den"))).hidden == 1
        await soon(one.append([say("b", "den")]))
        await leave(one, "alice")
        assert [event.text for event in await log(one, "den")] == ["b"]


@live
async def test_closed_rooms_of_nodes_that_have_died(url: str) -> None:
    """Whoever opens the store puts away those closed rooms in which nobody is."""
    async with store_at(url) as one:
        for room in ("den", "cellar", "attic"):
            await soon(one.open_room(room))
            await soon(one.append([say("a", room)]))
            await soon(one.shut(room, is_shut=room != "attic"))
        await enter(one, "alice", "cellar")
        async with store_at(url) as two:
            assert [await hidden(two, room) for room in ("den", "cellar", "attic")] == [1, 0, 0]


@live
async def test_a_log_of_the_version_before(url: str) -> None:
    """Its lines have no tags, and nothing of it is put away."""
    async with connected(url) as connection:
        await soon(prepare(connection, steps=STEPS[:1], functions=()))
        await soon(connection.script("INSERT INTO chat.rooms (name, seq, at) VALUES ('lobby', 1, 5)"))
        await soon(connection.script("INSERT INTO chat.events SELECT id, 1, 5, 'say', 'bob', 'hi' FROM chat.rooms"))
    async with store_at(url) as store:
        assert await log(store) == [Event("lobby", 1, 5, Kind.SAY, "bob", "hi")]
        tagged = say("x")._replace(tags="+a=1")
        assert [event.tags for event in events(await soon(store.append([say("y"), tagged])))] == ["", "+a=1"]
        assert [event.tags for event in await log(store)] == ["", "", "+a=1"]


@live
async def test_an_event_of_a_newer_version(url: str) -> None:
    """A kind that this version does not know is damage, told with the place."""
    async with store_at(url) as store:
        await soon(store.append([say("x")]))
        await sql(store, "UPDATE chat.events SET kind = 'sing'")
        with pytest.raises(DamagedError, match="#lobby, seq 1"):
            await soon(store.read("lobby", limit=9))


@live
async def test_sync(url: str) -> None:
    """With full, a commit waits for the disk, and longer if the operator wants that; with normal it does not wait."""
    ask = "SELECT current_setting('synchronous_commit')"
    async with store_at(url) as store, store_at(url, sync="normal") as quick:
        assert await soon(store.database.append.call(ask)) == [("on",)]
        assert await soon(quick.database.append.call(ask)) == [("off",)]
        await sql(store, f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = 'remote_apply'")
        async with store_at(url) as stricter:
            assert await soon(stricter.database.append.call(ask)) == [("remote_apply",)]
        await sql(store, f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = 'off'")
        async with store_at(url) as corrected:
            assert await soon(corrected.database.append.call(ask)) == [("on",)]


@live
async def test_closed(url: str) -> None:
    """A store that is closed refuses, and can be closed again."""
    async with store_at(url) as store:
        await store.close()
        with pytest.raises(StoreError):
            await soon(store.read("lobby", limit=1))
