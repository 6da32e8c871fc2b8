"""Who is told when a name is somebody's, and when it is nobody's any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.ear import Ear
from tests.fakes import HeldStore, Reactor, now
from twistedchat.hub import Hub
from twistedchat.people import watching
from twistedchat.people.watching import MAX_WATCHED, Seen, Watching
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = st.sampled_from(["come", "go", "full", "reads", "watch", "unwatch"])


class Friend:
    """A watcher.

    Attributes:
        full: Whether it takes nothing.
        told: What it was told, in order: the names that came with a ``+``, those that went with a ``-``.
    """

    def __init__(self) -> None:
        self.full = False
        self.told: list[str] = []

    def show_watched(self, here: Sequence[str], gone: Sequence[str], changed: Sequence[tuple[Seen, Seen]]) -> bool:
        if not self.full:
            self.told += [f"+{name}" for name in here] + [f"-{name}" for name in gone]
            self.told += [f"{now.name}: {before.away}/{before.real} {now.away}/{now.real}" for before, now in changed]
        return not self.full


class WatchingCase(SynchronousTestCase):
    """A register, and who is in it."""

    @override
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.here: set[str] = set()
        self.watching = Watching(self.reactor, self.find)

    def find(self, name: str) -> Seen:
        return next((Seen(each) for each in self.here if each.casefold() == name.casefold()), Seen())

    def come(self, name: str) -> None:
        self.here.add(name)
        self.watching.changed(name)

    def go(self, name: str) -> None:
        self.here.discard(name)
        self.watching.changed(name)


class ListTests(WatchingCase):
    def test_told(self) -> None:
        """At once, as whoever has the name spells it; those who watch other names are not."""
        ann, bob = Friend(), Friend()
        self.assertEqual((self.watching.watch(ann, "eve"), self.watching.watch(bob, "bob")), ("", ""))
        self.come("Eve")
        self.go("Eve")
        self.assertEqual((ann.told, bob.told), (["+Eve", "-eve"], []))
        self.come("eve")
        self.assertEqual(self.watching.watch(bob, "EVE"), "eve")
        self.assertEqual(list(self.watching.watchers("Eve")), [ann, bob])
        self.assertEqual(self.watching.names(bob), [("bob", ""), ("EVE", "eve")])

    def test_off(self) -> None:
        """What is off the list is not told, and nothing is left of it."""
        ann = Friend()
        for name in ("eve", "bob", "Ian"):
            self.watching.watch(ann, name)
        self.watching.unwatch(ann, "EVE")
        self.watching.unwatch(ann, "nobody")
        self.come("eve")
        self.assertEqual((ann.told, len(self.watching.names(ann))), ([], 2))
        self.watching.forget(ann)
        self.come("bob")
        self.assertEqual((ann.told, self.watching.names(ann), list(self.watching.watchers("bob"))), ([], [], []))
        self.watching.unwatch(ann, "bob")

    def test_full_list(self) -> None:
        """A list has a hundred names; one that is on it counts once."""
        ann = Friend()
        for number in range(MAX_WATCHED):
            self.assertEqual(self.watching.watch(ann, f"p{number}"), "")
        self.assertIsNone(self.watching.watch(ann, "one-more"))
        self.assertEqual(self.watching.watch(ann, "P7"), "")
        self.watching.unwatch(ann, "p7")
        self.assertEqual(self.watching.watch(ann, "one-more"), "")


class TellingTests(WatchingCase):
    def test_not_reading(self) -> None:
        """Who takes nothing is told later how things are then, once; others are told meanwhile."""
        ann, bob = Friend(), Friend()
        for friend in (ann, bob):
            for name in ("eve", "dan"):
                self.watching.watch(friend, name)
        ann.full = True
        self.come("eve")
        self.come("dan")
        self.go("dan")
        self.assertEqual((ann.told, bob.told), ([], ["+eve", "+dan", "-dan"]))
        self.watching.drained(ann)
        self.assertEqual(ann.told, [])
        ann.full = False
        self.watching.drained(ann)
        self.watching.drained(ann)
        self.assertEqual(ann.told, ["+eve"])

    def test_many(self) -> None:
        """Very many are told in short turns, and not more than so many in a second."""
        self.patch(watching, "TELLS_A_SECOND", 200)
        self.watching = Watching(self.reactor, self.find)
        friends = [Friend() for _ in range(300)]
        for friend in friends:
            self.watching.watch(friend, "eve")
        self.come("eve")
        self.assertEqual(sum(map(len, (friend.told for friend in friends))), 64)
        self.reactor.pump([0] * 10)
        self.assertEqual(sum(map(len, (friend.told for friend in friends))), 200)
        self.go("eve")
        self.reactor.pump([0] * 10)
        self.assertEqual(sum(map(len, (friend.told for friend in friends))), 200)
        self.reactor.pump([1] + [0] * 10)
        self.assertEqual({tuple(friend.told) for friend in friends}, {("+eve", "-eve"), ()})
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """A server that stops tells nobody, and leaves no timer."""
        for _ in range(100):
            self.watching.watch(Friend(), "eve")
        self.come("eve")
        self.watching.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    @given(
        st.lists(
            st.tuples(st.sampled_from(["come", "go", "full", "reads", "watch", "unwatch"]), st.sampled_from("abc"))
        )
    )
    def test_net(self, steps: Sequence[tuple[str, str]]) -> None:
        """Whatever happens: once it reads, a watcher knows how things are."""
        self.setUp()
        ann = Friend()
        listed: dict[str, bool] = {}
        for step, name in steps:
            if step == "watch":
                listed[name] = bool(self.watching.watch(ann, name))
            elif step == "unwatch":
                listed.pop(name, None)
                self.watching.unwatch(ann, name)
            elif step in ("come", "go"):
                (self.come if step == "come" else self.go)(name)
            else:
                ann.full = step == "full"
                if not ann.full:
                    self.watching.drained(ann)
            for each in ann.told:
                self.assertIn(each[1:], listed)
                listed[each[1:]] = each[0] == "+"
            ann.told.clear()
            if not ann.full:
                self.assertEqual(listed, {each: each in self.here for each in listed})


class SessionTests(SynchronousTestCase):
    def test_sessions(self) -> None:
        """Coming, a new name and going are told; a lost session is somebody's still."""
        reactor = Reactor()
        hub = Hub(HeldStore(reactor.seconds), reactor, wall=reactor.seconds)
        now(hub.open())
        friend = Friend()
        for name in ("eve", "dan"):
            hub.people.watching.watch(friend, name)
        eve = Session(hub, Ear())
        now(eve.enter("eve", resumable=True))
        now(eve.rename("EVE"))
        now(eve.rename("dan"))
        self.assertEqual(friend.told, ["+eve", "+EVE", "-eve", "+dan"])
        eve.set_profile(eve.profile._replace(away="lunch"))
        eve.set_profile(eve.profile._replace(away="", real="Eve"))
        self.assertEqual(friend.told[4:], ["dan: / lunch/", "dan: lunch/ /Eve"])
        del friend.told[4:]
        eve.lose()
        self.assertEqual(len(friend.told), 4)
        reactor.advance(60)
        self.assertEqual(friend.told[4:], ["-dan"])
