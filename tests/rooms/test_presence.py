from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tests.rooms.cases import JSON, PLAIN, RoomTestCase, Screen
from twistedchat.rooms.audience import SMALL_ROOM, Member


class PresenceTestCase(RoomTestCase):
    def tell(self) -> None:
        """Tell everybody, as when the time of gathering is over."""
        for _ in self.room.presence.tell_all():
            pass

    def rename(self, member: Member, new: str) -> None:
        self.room.presence.renamed(member, new)


class GatheringTests(PresenceTestCase):
    def test_others_are_told(self) -> None:
        """Who comes and goes is told to the others, not to itself, and only once."""
        _, ann = self.enter("ann", PLAIN)
        bob, bob_screen = self.enter("bob", PLAIN)
        self.tell()
        self.leave(bob, "good night")
        self.tell()
        self.tell()
        self.assertEqual(ann.shown, [b"*** bob is here now.\r\n", b"*** bob left: good night\r\n"])
        self.assertEqual(bob_screen.shown, [])

    def test_came_and_went(self) -> None:
        """Who came and left again in between is not spoken of."""
        _, ann = self.enter("ann", PLAIN)
        bob, _ = self.enter("bob", PLAIN)
        self.enter("carol", PLAIN)
        self.leave(bob)
        self.tell()
        self.assertEqual(ann.shown, [b"*** carol is here now.\r\n"])

    def test_rendered_once(self) -> None:
        """All who know the same and read the same format get the same bytes, made once."""
        screens = [self.enter(f"p{number}")[1] for number in range(3)]
        self.tell()
        self.enter("late")
        self.tell()
        self.assertEqual(len({id(screen.shown[-1]) for screen in screens}), 1)

    def test_each_in_its_format(self) -> None:
        """A program is told names and how many there are."""
        _, program = self.enter("bot")
        self.enter("bob", PLAIN)
        self.tell()
        self.assertEqual(
            json.loads(program.shown[0]),
            {"type": "presence", "room": "lobby", "joined": ["bob"], "left": [], "renamed": [], "count": 2},
        )


class RenameTests(PresenceTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.screen = self.enter("ann", PLAIN)
        self.bob, self.bob_screen = self.enter("bob", PLAIN)
        self.tell()
        self.screen.shown.clear()

    def test_journey(self) -> None:
        """Several renames are told as one, from the name that was known; a newcomer hears only the last."""
        self.rename(self.bob, "bea")
        self.rename(self.bob, "cat")
        self.enter("dan", PLAIN)
        self.tell()
        self.assertEqual(self.screen.shown, [b"*** dan is here now.\r\n*** bob is now called cat.\r\n"])
        self.assertEqual(self.bob_screen.shown, [b"*** dan is here now.\r\n"])

    def test_there_and_back(self) -> None:
        """Who takes its old name again is not spoken of."""
        self.rename(self.bob, "bea")
        self.rename(self.bob, "bob")
        self.tell()
        self.assertEqual(self.screen.shown, [])

    def test_newcomer_renamed(self) -> None:
        """Who came and took another name at once has come under that name."""
        carol, _ = self.enter("carol", PLAIN)
        self.rename(carol, "cat")
        self.tell()
        self.assertEqual(self.screen.shown, [b"*** cat is here now.\r\n"])

    def test_renamed_and_left(self) -> None:
        """Who took another name and left has left under the name that was known, with its parting word."""
        self.rename(self.bob, "bea")
        self.leave(self.bob, "bye")
        self.tell()
        self.assertEqual(self.screen.shown, [b"*** bob left: bye\r\n"])

    def test_old_name_of_another(self) -> None:
        """Who takes a name that was given up a moment ago is not taken for whoever had it."""
        self.rename(self.bob, "bea")
        self.leave(self.bob)
        self.enter("bea", PLAIN)
        self.tell()
        self.assertEqual(self.screen.shown, [b"*** bea is here now.\r\n*** bob left.\r\n"])


class LateTests(PresenceTestCase):
    """Whoever takes nothing when the others are told."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.screen = self.enter("ann", PLAIN)
        self.bob, self.bob_screen = self.enter("bob", PLAIN)
        self.tell()
        self.screen.shown.clear()
        self.screen.full = True

    def told_late(self) -> list[bytes]:
        """What the reader that has room again is told."""
        self.screen.full = False
        self.room.presence.tell(self.ann)
        return self.screen.shown

    def test_difference(self) -> None:
        """It is told the difference when it has room, not each step, and not a second time."""
        carol, _ = self.enter("carol", PLAIN)
        self.tell()
        self.leave(carol)
        self.enter("dan", PLAIN)
        self.tell()
        self.assertEqual(self.told_late(), [b"*** dan is here now.\r\n"])
        self.room.presence.tell(self.ann)
        self.tell()
        self.assertEqual(len(self.screen.shown), 1)

    def test_still_full(self) -> None:
        """As long as it has no room it still is to be told."""
        self.enter("carol", PLAIN)
        self.tell()
        self.room.presence.tell(self.ann)
        self.assertEqual(self.told_late(), [b"*** carol is here now.\r\n"])

    def test_gathering_goes_on(self) -> None:
        """What the others have not been told yet it is not told either."""
        self.enter("carol", PLAIN)
        self.assertEqual(self.told_late(), [])

    def test_names_after_renames(self) -> None:
        """Renames of several rounds are one, from the name that it knew; parting words are kept."""
        self.rename(self.bob, "bea")
        self.tell()
        self.rename(self.bob, "cat")
        carol, _ = self.enter("carol", PLAIN)
        self.tell()
        self.leave(carol)
        dan, _ = self.enter("dan", PLAIN)
        self.rename(dan, "eve")
        self.tell()
        self.assertEqual(self.told_late(), [b"*** eve is here now.\r\n*** bob is now called cat.\r\n"])

    def test_own_name(self) -> None:
        """It is never told of its own names."""
        self.rename(self.ann, "amy")
        self.tell()
        self.rename(self.ann, "eva")
        self.tell()
        self.assertEqual(self.told_late(), [])
        self.assertEqual(self.bob_screen.text, "*** ann is now called amy.\r\n*** amy is now called eva.\r\n")

    steps = st.lists(
        st.tuples(st.sampled_from(["join", "leave", "rename", "tell", "full", "drain"]), st.sampled_from("bcdef")),
        max_size=25,
    )

    @given(steps, st.sampled_from("bcdef"))
    def test_any_changes(self, steps: list[tuple[str, str]], new: str) -> None:
        """Whatever happens, whoever keeps its own list by what it is told knows in the end who is here."""
        self.room = self.make_room()
        _, screen = self.enter("ann", JSON)
        here: dict[str, Member] = {}
        for step, name in steps:
            if step == "join" and name not in here:
                here[name] = self.enter(name)[0]
            elif step == "leave" and name in here:
                self.leave(here.pop(name))
            elif step == "rename" and name in here and new not in here:
                here[new] = here.pop(name)
                self.rename(here[new], new)
            elif step == "tell":
                self.tell()
            elif step in ("full", "drain"):
                screen.full = step == "full"
        screen.full = False
        self.tell()
        self.assertEqual(believed(screen), {"ann", *here})


def believed(screen: Screen) -> set[str]:
    """Who is here, to a program that was alone at first and goes by what it was told."""
    names = {"ann"}
    for change in map(json.loads, screen.shown):
        gone = [*change["left"], *(old for old, _ in change["renamed"])]
        come = [*change["joined"], *(new for _, new in change["renamed"])]
        assert names.issuperset(gone), (names, change)
        assert names.isdisjoint(come), (names, change)
        names = names.difference(gone).union(come)
        assert change["count"] == len(names), (names, change)
    return names


class LargeRoomTests(PresenceTestCase):
    def test_no_names(self) -> None:
        """In a large room no names are told; programs are told how many there are."""
        _, plain = self.enter("ann", PLAIN)
        _, program = self.enter("bot")
        for number in range(SMALL_ROOM):
            self.enter(f"p{number}", PLAIN)
        self.tell()
        self.assertEqual(plain.text, "")
        told = json.loads(program.shown[0])
        self.assertEqual((told["joined"], told["left"], told["count"]), ([], [], SMALL_ROOM + 2))

    def test_shrinks(self) -> None:
        """A room that has shrunk announces again, but only what happened since."""
        _, ann = self.enter("ann", PLAIN)
        crowd = [self.enter(f"p{number}", PLAIN)[0] for number in range(SMALL_ROOM)]
        self.tell()
        for member in crowd[1:]:
            self.leave(member)
        self.tell()
        self.leave(crowd[0])
        self.tell()
        self.assertEqual(ann.text, "*** p0 left.\r\n")

    def test_in_stretches(self) -> None:
        """Telling a crowd stops in between, and whoever comes meanwhile is not told what it knows."""
        screens = [self.enter(f"p{number}")[1] for number in range(200)]
        telling = self.room.presence.tell_all()
        next(telling)
        told = sum(bool(screen.shown) for screen in screens)
        self.assertTrue(0 < told < 200)
        _, late = self.enter("late")
        list(telling)
        self.assertEqual((late.shown, [len(screen.shown) for screen in screens[:-1]]), ([], [1] * 199))

    def test_leaves_meanwhile(self) -> None:
        """Whoever leaves while a crowd is being told is told nothing more of the room."""
        members = [self.enter(f"p{number}") for number in range(200)]
        telling = self.room.presence.tell_all()
        next(telling)
        gone, screen = members[150]
        self.leave(gone)
        list(telling)
        self.assertEqual(screen.shown, [])

    def test_roster(self) -> None:
        """Whoever comes into a small room is given everybody's name, sorted."""
        for name in ["carol", "ann", "bob"]:
            self.enter(name)
            self.assertIn(name, self.room.presence.recent_names)
        self.assertEqual(list(self.room.presence.names), ["ann", "bob", "carol"])

    def test_roster_of_many(self) -> None:
        """In a large room the list is made once for all who come at about the same time."""
        for number in range(SMALL_ROOM + 1):
            self.enter(f"p{number}")
        names = self.room.presence.names
        for number in range(SMALL_ROOM):
            self.enter(f"q{number}")
            self.assertIs(self.room.presence.recent_names, names)
        self.tell()
        self.assertEqual(len(self.room.presence.recent_names), 2 * SMALL_ROOM + 1)


class OtherNodesTests(PresenceTestCase):
    def test_told_alike(self) -> None:
        """Who comes and goes on another node is told, counted and listed like everybody else."""
        _, ann = self.enter("ann", PLAIN)
        self.room.presence.set_others(["bob", "carol"])
        self.tell()
        self.assertEqual((self.room.presence.count, list(self.room.presence.names)), (3, ["ann", "bob", "carol"]))
        self.room.presence.set_others(["bob", "dan"])
        self.tell()
        self.assertEqual(ann.text, "*** bob and carol are here now.\r\n*** dan is here now.\r\n*** carol left.\r\n")

    def test_node_that_is_gone(self) -> None:
        """With a node all its people have left."""
        _, ann = self.enter("ann", PLAIN)
        self.room.presence.set_others(["bob", "carol"])
        self.room.presence.set_others([])
        self.tell()
        self.assertEqual((ann.text, self.room.presence.count), ("", 1))

    def test_small_is_all_together(self) -> None:
        """A room is large that has many people on all nodes together."""
        _, ann = self.enter("ann", PLAIN)
        self.room.presence.set_others([f"p{number}" for number in range(SMALL_ROOM)])
        self.tell()
        self.assertEqual((ann.text, self.room.presence.is_small), ("", False))

    def test_renamed(self) -> None:
        """Who is renamed on another node is told as that, as far as it is known and was seen."""
        _, ann = self.enter("ann", PLAIN)
        self.room.presence.set_others(["bob", "dan"])
        self.tell()
        ann.shown.clear()
        self.room.presence.set_others(["bea", "dan"], renamed=[("bob", "bea"), ("eve", "dan"), ("dan", "cat")])
        self.tell()
        self.assertEqual(ann.text, "*** bob is now called bea.\r\n")

    def test_parting_words(self) -> None:
        """Who leaves on another node leaves with its words, if it has left indeed."""
        _, ann = self.enter("ann", PLAIN)
        self.room.presence.set_others(["bob", "cat", "dan"])
        self.tell()
        ann.shown.clear()
        self.room.presence.set_others(["dan"], left=[("bob", "so long"), ("cat", ""), ("dan", "no"), ("eve", "no")])
        self.tell()
        self.assertEqual(ann.text, "*** cat left.\r\n*** bob left: so long\r\n")

    def test_nothing_new(self) -> None:
        """A roster that is as it was changes nothing."""
        self.enter("ann")
        self.room.presence.set_others(["bob"])
        version = self.room.presence.version
        self.room.presence.set_others(["bob"], renamed=[("ann", "bob")], left=[("bob", "bye")])
        self.assertEqual(self.room.presence.version, version)

    def test_arrived(self) -> None:
        """Who goes on here is not told to have come, and is counted once, also if the other node is still to say so."""
        _, ann = self.enter("ann", PLAIN)
        self.room.presence.set_others(["bob"])
        self.tell()
        ann.shown.clear()
        bob = Member("bob", Screen(), PLAIN, 0)
        self.room.audience.add(bob)
        self.room.presence.arrived(bob)
        for others in (["bob"], []):
            self.assertEqual((self.room.presence.count, list(self.room.presence.names)), (2, ["ann", "bob"]))
            self.room.presence.set_others(others)
            self.tell()
        self.assertEqual(ann.shown, [])
        self.leave(bob, "bye")
        self.tell()
        self.assertEqual((ann.text, self.room.presence.count), ("*** bob left: bye\r\n", 1))

    def test_arrived_unseen(self) -> None:
        """Who goes on here, and was not seen at the other node, has come."""
        _, ann = self.enter("ann", PLAIN)
        bob = Member("bob", Screen(), PLAIN, 0)
        self.room.audience.add(bob)
        self.room.presence.arrived(bob)
        self.tell()
        self.assertEqual((ann.text, self.room.presence.count), ("*** bob is here now.\r\n", 2))

    def test_departed(self) -> None:
        """Who goes on at another node is still counted and listed, and leaves when that node says so."""
        _, ann = self.enter("ann", PLAIN)
        bob, _ = self.enter("bob", PLAIN)
        self.tell()
        ann.shown.clear()
        self.room.presence.departed(bob)
        self.room.audience.remove(bob)
        self.tell()
        self.assertEqual((ann.shown, self.room.presence.count), ([], 2))
        self.enter("cat", PLAIN)
        self.assertEqual((self.room.presence.count, list(self.room.presence.names)), (3, ["ann", "bob", "cat"]))
        self.room.presence.set_others([], left=[("bob", "bye")])
        self.tell()
        self.assertEqual(ann.text, "*** cat is here now.\r\n*** bob left: bye\r\n")

    def test_moved(self) -> None:
        """Who goes on at another node has neither come nor left."""
        _, ann = self.enter("ann", PLAIN)
        bob, _ = self.enter("bob", PLAIN)
        self.tell()
        ann.shown.clear()
        self.leave(bob)
        self.room.presence.set_others(["bob"])
        self.tell()
        self.assertEqual(ann.shown, [])
