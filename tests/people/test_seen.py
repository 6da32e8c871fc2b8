"""How people of another node are seen, and the ranks and rules of rooms that two nodes share."""

from __future__ import annotations

from tests.engines import LOOP, live, soon, until
from tests.people.cases import Somebody, lapse, refused, sql, two_nodes
from twistedchat.events import Kind
from twistedchat.people.base import Arrival, Deed, DeedKind, Stay
from twistedchat.people.password import hashed_word, word_token
from twistedchat.people.tells import Far
from twistedchat.profiles import Profile
from twistedchat.records import Change, Standing


@live
async def test_how_others_are_seen() -> None:
    """How somebody is seen is known where a room is shared, and wherever somebody asks; also what changes of it."""
    async with two_nodes() as (a, b):
        ann = Somebody(a.people)
        ann.profile = Profile("ann", "k3x.ip", "Ann\0 ü", "", "B", 7, "irc", "192.0.2.1")
        ann.name = await a.people.claim("ann", ann) or "ann"
        found = await b.people.find("Ann")
        assert isinstance(found, Far)
        seen = ann.profile._replace(real="Ann␀ ü")
        assert (found.profile, found.rooms) == (seen, [])
        assert b.people.profile("ann") is None
        a.enter(ann, "lobby")
        await until(lambda: a.people.is_settled, "told")
        assert await b.watch("lobby") == ["ann"]
        assert b.people.profile("ann") == seen
        assert [(name, list(rooms)) for name, _, rooms in b.people.neighbours()] == [("ann", ["lobby"])]
        assert b.people.source("ann", 7) == "ann!~ann@k3x.ip"
        assert b.people.source("ann", 6) == "ann!~past@log"
        a.people.seen_anew("ann", seen._replace(away="tea"))
        await until(lambda: b.people.profile("ann") == seen._replace(away="tea"), "ann is away")
        assert ("ann", "", "tea", ["lobby"]) in b.told
        ann.close()
        await until(lambda: b.people.profile("ann") is None, "ann has left")


@live
async def test_ranks_and_rules() -> None:
    """Ranks and rules of a room are the same on all nodes, whoever makes them, and end with the last member."""
    async with two_nodes() as (a, b):
        ann, bob = await a.come("ann", "den"), await b.come("bob", "den")
        await until(lambda: a.people.is_settled and b.people.is_settled, "told")
        await a.watch("den")
        await b.watch("den")
        closing = [Change("+", "k", "key"), Change("-", "n"), Change("+", "b", "eve!*@*"), Change("+", "i")]
        a.people.amended("den", [Change("+", "o", "ann")], "")
        a.people.amended("den", closing, "ann")
        rules = [("k", "key", "ann"), ("n", "", "ann"), ("b", "eve!*@*", "ann"), ("i", "", "ann")]
        await until(lambda: b.standings.get("den") and b.standings["den"].rules, "the rules")
        assert [rule[:3] for rule in b.standings["den"].rules] == rules
        assert b.standings["den"].ranks == {"ann": "o"}
        assert ("ann", closing) in b.ruled
        b.people.amended(
            "den", [Change("-", "b", "eve!*@*"), Change("+", "v", "ann"), Change("+", "k", "other")], "bob"
        )
        await until(lambda: a.standings.get("den") and len(a.standings["den"].rules) == 3, "a mask less")
        assert [rule[:3] for rule in a.standings["den"].rules] == [rules[1], rules[3], ("k", "other", "bob")]
        assert a.standings["den"].ranks == {"ann": "ov"}
        # The last op goes: somebody else must be able to lift a rule.
        ann.close()
        await until(lambda: b.standings["den"].ranks == {"bob": "o"}, "bob is op")
        assert ("", [Change("+", "o", "bob")]) in b.ruled
        bob.close()
        await until(lambda: b.people.is_settled, "told")
        assert await sql(a, "SELECT count(*) FROM chat.rules") == [("0",)]
        await a.people.who("den")
        assert a.people.standing("den") == Standing({}, [])


@live
async def test_rules_of_a_node_that_dies() -> None:
    """A closed room whose members were at a node that died is open again, and what was said there is put away."""
    async with two_nodes() as (a, b):
        await sql(b, "INSERT INTO chat.rooms (name, seq, at, is_shut) VALUES ('den', 7, 7, true)")
        await a.come("ann", "den")
        a.people.amended("den", [Change("+", "i")], "ann")
        await until(lambda: a.people.is_settled, "told")
        assert await sql(b, "SELECT letter FROM chat.rules") == [("i",)]
        a.die()
        await lapse(a, b)
        b.people._beat.now()  # noqa: SLF001  it would come within two seconds
        hidden = "SELECT count(*) FROM chat.rooms WHERE hidden = 7"
        give_up = LOOP.seconds() + 10
        while await sql(b, hidden) == [("0",)]:
            assert LOOP.seconds() < give_up
        assert await sql(b, "SELECT letter FROM chat.rules") == []


@live
async def test_what_goes_to_somebody_else() -> None:
    """A private line goes with its kind and tags; what is done to somebody is done there, or it is said why not."""
    async with two_nodes() as (a, b):
        ann, bob = await a.come("ann"), await b.come("bob", "den")
        found = await a.people.find("bob")
        assert found is not None
        await soon(found.hear(ann, "hi\0", 7, Kind.NOTICE, "+x=1"))
        await soon(found.undergo(Deed(DeedKind.REMOVE, "ann", "den", "enough")))
        assert (await refused(found.undergo(Deed(DeedKind.REMOVE, "ann", "tea")))).code == "not-member"
        await soon(found.undergo(Deed(DeedKind.KILL, "ann", "", "spam")))
        assert bob.told == ["ann: hi\0 at 7 as notice with +x=1", "ann: remove den enough", "ann: kill  spam"]
        await soon(a.people.tell_all(Deed(DeedKind.WALLOPS, "ann", "", "hear me")))
        assert ann.told == ["ann: wallops  hear me"]
        await until(lambda: bob.told[3:] == ["ann: wallops  hear me"], "all are told")


@live
async def test_signals() -> None:
    """What programs tell each other goes where somebody is in the room."""
    async with two_nodes() as (a, b):
        await b.come("bob", "den")
        await until(lambda: b.people.is_settled, "told")
        a.people.signalled("den", "ann", 7, "x-1", "+typing=active")
        await a.watch("den")
        a.people.signalled("den", "ann", 8, "x-2", "+typing=done")
        await until(lambda: b.told == [("den", "ann", 8, "x-2", "+typing=done")], "the second one")


@live
async def test_coming_back_by_a_word() -> None:
    """Whoever comes back by name and word at another node is known to have been shown so much, and stays as long."""
    async with two_nodes() as (a, b):
        ann = Somebody(a.people)
        ann.stay = Stay(600.0, "gone", hashed_word("correct horse"))
        ann.token = await a.people.claim("ann", ann, resumable=True)
        ann.name = "ann"
        a.enter(ann, "lobby")
        a.people.confirmed("ann", {"lobby": 7})
        await until(lambda: a.people.is_settled, "told")
        a.die()
        await lapse(a, b)
        b.people._beat.now()  # noqa: SLF001  it would come within two seconds
        lost = "SELECT until - chat.now_ms() > 500000 FROM chat.people WHERE until IS NOT NULL"
        give_up = LOOP.seconds() + 10
        while not (found := await sql(b, lost)):
            assert LOOP.seconds() < give_up
        assert found == [("t",)]
        here = await b.go_on(word_token("ANN", hashed_word("correct horse")))
        assert here is not None
        assert (here.name, here.rooms, here.arrived) == ("ann", ["lobby"], {"lobby": 7})


@live
async def test_lost_with_a_word() -> None:
    """When a connection is lost it is told at once what has arrived."""
    async with two_nodes() as (a, b):
        ann = Somebody(a.people)
        ann.stay = Stay(600.0, "gone", hashed_word("correct horse"))
        ann.token = await a.people.claim("ann", ann, resumable=True)
        ann.name, ann.arrived = "ann", {"tea": 3}
        a.people.linger(ann)
        await until(lambda: a.people.is_settled, "told")
        arrival = await b.people.resume(ann.token)
        assert isinstance(arrival, Arrival)
        assert (arrival.arrived, arrival.seconds) == ({"tea": 3}, 600.0)
