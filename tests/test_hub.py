from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.ear import Ear
from tests.fakes import JsonPeer, PlainPeer, World, now
from tests.nodes import NodeTestCase
from twistedchat.errors import ChatError
from twistedchat.hub import CLOSE_SECONDS
from twistedchat.people.base import LINGER_SECONDS
from twistedchat.session import Session
from twistedchat.stores.base import StoreError


class RoomsTests(NodeTestCase):
    @property
    def names(self) -> list[str]:
        return sorted(room.name for room in self.hub.rooms)

    def test_as_long_as_somebody_is_there(self) -> None:
        """A room comes to be when somebody enters, and is forgotten when nobody is there, with all that it held."""
        self.store.far("a", room="old")
        bob = self.enter("bob", room="old")
        self.assertEqual(self.names, ["lobby", "old"])
        bob.close()
        self.ann.leave("lobby")
        self.assertEqual((self.names, self.clock.getDelayedCalls()), ([], []))
        ear = Ear()
        self.enter("bob", ear, "old")
        self.assertEqual(ear.seqs, {"old": [1]})

    def test_only_line_refused(self) -> None:
        """A room whose only line was refused is forgotten too."""
        self.store.fault = StoreError("The disk is full.")
        self.store.holding = True
        self.join(self.ann, "new")
        self.say("hi", room="new")
        self.turn()
        self.ann.leave("new")
        self.assertEqual(self.names, ["lobby", "new"])
        self.store.release()
        self.assertEqual((self.names, self.said), (["lobby"], ["refused hi: not-stored"]))

    def test_all_lines_refused(self) -> None:
        """When all that waits is refused, a room in which nobody is any more is forgotten."""
        self.join(self.ann, "new")
        self.say("hi", room="new")
        self.ann.leave("new")
        self.assertEqual(self.names, ["lobby", "new"])
        self.hub.cut_off(ChatError("not-stored", "The lease has lapsed."))
        self.assertEqual((self.names, self.said), (["lobby"], ["refused hi: not-stored"]))

    def test_ids(self) -> None:
        """The ids of lines differ from each other and from those of any other run."""
        ids = [self.hub.draft_id() for _ in range(3)]
        self.start()
        ids += [self.hub.draft_id() for _ in range(3)]
        self.assertEqual(len(set(ids)), 6)


class ClosingTests(NodeTestCase):
    def test_stores_what_was_said(self) -> None:
        """A hub that closes stores and shows what was said, and leaves no timer behind."""
        self.enter("bob")
        self.store.holding = True
        self.say("last words")
        closing = Deferred.fromCoroutine(self.hub.close())
        self.turn()
        self.assertNoResult(closing)
        self.store.release()
        self.assertTrue(self.successResultOf(closing))
        self.assertEqual((self.said[-1], self.clock.getDelayedCalls()), ("shown last words", []))

    def test_store_that_never_answers(self) -> None:
        """It does not wait for ever, and says that not everything is stored."""
        self.store.holding = True
        self.say("last words")
        closing = Deferred.fromCoroutine(self.hub.close())
        self.clock.advance(CLOSE_SECONDS)
        self.assertFalse(self.successResultOf(closing))
        self.store.holding = False
        self.store.release()

    def test_lost_sessions(self) -> None:
        """Lost sessions do not hold it up."""
        now(self.ann.rename("amy"))
        lost = Session(self.hub, Ear())
        now(lost.enter("lost", resumable=True))
        lost.lose()
        self.assertTrue(now(self.hub.close()))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class DoorsTests(NodeTestCase):
    """The same over connections."""

    def test_leaves_after_a_while(self) -> None:
        """A lost session is here for a minute, unseen by the others, and then leaves; no timer stays behind."""
        world = World()
        self.addCleanup(world.close)
        bob, ann = PlainPeer(world), JsonPeer(world)
        bob.say("bob")
        ann.ask("hello", name="ann")
        ann.ask("join", room="lobby")
        ann.close()
        world.pass_seconds(LINGER_SECONDS - 1)
        bob.say("/who")
        self.assertEqual(bob.lines[-1], "*** ann and bob are in #lobby.")
        world.pass_seconds(2)
        self.assertEqual(bob.lines[-1], "*** ann left.")
        bob.close()
        self.assertEqual((world.reactor.getDelayedCalls(), world.faults), ([], []))
