from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.ear import Ear
from tests.nodes import NodeTestCase
from twistedchat.feed import MAX_PAUSE_SECONDS, RETRY_SECONDS
from twistedchat.people.base import LINGER_SECONDS
from twistedchat.stores.base import StoreError


class OwnLinesTests(NodeTestCase):
    def test_shown_after_stored(self) -> None:
        """Nothing is acknowledged or shown before the store has it; then the receipt comes first."""
        self.store.holding = True
        self.say("a")
        self.turn()
        self.assertEqual((self.store.waiting, self.said), (1, []))
        self.store.release()
        self.assertEqual(self.said, ["stored a as 1", "shown a"])

    def test_one_page(self) -> None:
        """A batch of a room is one page."""
        self.say("a", "b", "c")
        self.turn()
        self.assertEqual((self.ear.seqs, self.ear.pages), ({"lobby": [1, 2, 3]}, 1))

    def test_key_that_stands(self) -> None:
        """A line whose key stands is answered with what stands, and shown once."""
        self.say("a", key="k")
        self.turn()
        self.say("b", "c", key="k")
        self.turn()
        self.assertEqual(self.said, ["stored a as 1", "shown a", "stored b as 1 again", "stored c as 1 again"])

    def test_refused(self) -> None:
        """What was refused is shown to nobody, and what stands beside it is."""
        self.store.fault = StoreError("The disk is full.")
        self.say("a")
        self.turn()
        self.store.fault = None
        self.say("b")
        self.turn()
        self.assertEqual(self.said, ["refused a: not-stored", "stored b as 1", "shown b"])

    def test_presence_first(self) -> None:
        """Whoever speaks at once is announced before."""
        bob = self.enter("bob")
        self.say("hi", who=bob)
        self.turn()
        self.assertIn('"joined":["bob"]', self.ear.heard[-2])
        self.assertEqual(self.said, ["stored hi as 1", "shown hi"])

    def test_nobody_there(self) -> None:
        """A line whose speaker has left is answered, and the room is forgotten."""
        self.store.holding = True
        self.say("a")
        self.ann.leave("lobby")
        self.turn()
        self.assertEqual(len(list(self.hub.rooms)), 1)
        self.store.release()
        self.assertEqual((self.said, list(self.hub.rooms)), (["stored a as 1"], []))

    def test_nobody_there_for_a_while(self) -> None:
        """What landed while nobody was in the room is shown, in its place, to whoever comes in then."""
        bob_ear = Ear()
        bob = self.enter("bob", bob_ear, "py")
        self.say("a")
        self.turn()
        self.store.holding = True
        self.say("b")
        self.turn()
        self.say("c")
        self.ann.leave("lobby")
        self.store.release()
        # b has landed, and c is on its way: the room is still here.
        self.turn()
        self.join(bob, after=0)
        self.store.release()
        self.join(bob, after=1)
        self.assertEqual(bob_ear.seqs["lobby"], [1, 2, 3, 2, 3])

    def test_broken_receipt(self) -> None:
        """A receipt that fails is logged, and keeps neither the others nor later lines."""
        broken = Ear()
        broken.broken = True
        self.ann.say("lobby", "x", broken)
        self.say("a")
        self.turn()
        self.say("b")
        self.turn()
        self.assertEqual(self.said, ["stored a as 2", "shown x", "shown a", "stored b as 3", "shown b"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_settled(self) -> None:
        """As long as a batch is being shown, what was said is not settled."""
        ears = [Ear() for _ in range(200)]
        for number, ear in enumerate(ears):
            self.enter(f"p{number}", ear)
        self.say("a")
        settled = Deferred.fromCoroutine(self.hub.writer.settle(60))
        self.clock.look_seconds = 0.003
        self.clock.turn()
        self.assertTrue(0 < sum(bool(ear.seqs) for ear in ears) < 200)
        self.assertNoResult(settled)
        self.clock.look_seconds = 0
        self.clock.pump([0] * 10)
        self.assertEqual([ear.seqs for ear in ears], [{"lobby": [1]}] * 200)
        self.assertTrue(self.successResultOf(settled))

    def test_many_lines_in_a_small_room(self) -> None:
        """A batch of many lines is not shown in one turn, however few are there."""
        self.say(*map(str, range(2000)))
        self.clock.look_seconds = 0.003
        self.clock.turn()
        self.assertEqual(self.store.head(), 2000)
        self.assertTrue(0 < len(self.ear.seqs["lobby"]) < 2000)
        self.clock.look_seconds = 0
        self.clock.pump([0] * 10)
        self.assertEqual(self.ear.seqs, {"lobby": list(range(1, 2001))})


class PacingTests(NodeTestCase):
    def slow_batch(self, *texts: str) -> None:
        """A batch that takes some time to be shown."""
        self.clock.look_seconds = 0.003
        self.say(*texts)
        self.turn()
        self.clock.look_seconds = 0
        self.assertEqual(self.store.appends, 1)

    def test_busy_room_waits(self) -> None:
        """After a batch of several lines the next waits a little, as the showing cost, and never long."""
        self.slow_batch("a", "b")
        self.say("c")
        self.turn()
        self.assertEqual(self.store.head(), 2)
        self.clock.advance(MAX_PAUSE_SECONDS)
        self.assertEqual(self.store.head(), 3)

    def test_large_room_waits(self) -> None:
        """So it is in a large room."""
        for number in range(100):
            self.enter(f"p{number}")
        self.test_busy_room_waits()

    def test_others_wait_too(self) -> None:
        """After a batch of several lines another node's wait as long, and come as one page with own ones."""
        self.slow_batch("a", "b")
        for text in "cd":
            self.store.far(text)
            self.store.heard("lobby", self.store.head())
        self.assertEqual((self.ear.seqs, self.ear.pages), ({"lobby": [1, 2]}, 1))
        self.clock.advance(MAX_PAUSE_SECONDS)
        self.assertEqual((self.ear.seqs, self.ear.pages), ({"lobby": [1, 2, 3, 4]}, 2))

    def test_own_wait_for_others(self) -> None:
        """A line of our own that lands while the room waits is answered, and shown with what other nodes append."""
        self.store.far("a", "b")
        self.clock.look_seconds = 0.003
        self.store.heard("lobby", 2)
        self.clock.look_seconds = 0
        self.say("c")
        self.store.far("d")
        self.store.heard("lobby", 3)
        self.assertEqual((self.ear.seqs, self.ear.pages), ({"lobby": [1, 2]}, 1))
        self.clock.pump([MAX_PAUSE_SECONDS] * 3)
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2, 3, 4]})
        self.assertIn("stored c as 4", self.said)

    def test_own_landed_while_others_wait(self) -> None:
        """A line that was stored before the pause began is answered at once, and shown after it."""
        self.store.far("a", "b")
        self.store.holding = True
        self.say("c")
        self.turn()
        self.clock.look_seconds = 0.003
        self.store.heard("lobby", 2)
        self.clock.look_seconds = 0
        self.store.release()
        self.assertEqual(self.said, ["shown a", "shown b", "stored c as 3"])
        self.clock.pump([MAX_PAUSE_SECONDS] * 2)
        self.assertEqual(self.said[-1], "shown c")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lone_line(self) -> None:
        """A line after a lone line is stored at once."""
        self.slow_batch("a")
        self.say("b")
        self.turn()
        self.assertEqual(self.store.head(), 2)

    def test_another_room(self) -> None:
        """A quiet room's line is stored while a busy room waits."""
        self.join(self.ann, "py")
        self.slow_batch("a", "b")
        self.say("c")
        self.say("x", room="py")
        self.turn()
        self.assertEqual((self.store.head(), self.store.head("py")), (2, 1))


class LinesOfOthersTests(NodeTestCase):
    def test_heard(self) -> None:
        """What another node appended is shown when it is heard of, late, twice or out of order, and once."""
        self.store.far("a", "b")
        self.assertEqual(self.said, [])
        for head in (2, 2, 1, 0):
            self.store.heard("lobby", head)
        self.store.far("c", "d")
        self.store.heard("lobby", 4)
        self.store.heard("lobby", 3)
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2, 3, 4]})

    def test_nobody_there(self) -> None:
        """Of a room in which nobody is, nothing is kept."""
        self.store.far("a", room="py")
        self.store.heard("py", 1)
        self.assertEqual([room.name for room in self.hub.rooms], ["lobby"])

    def test_much(self) -> None:
        """However much was appended, it comes in pages, and none is missing."""
        self.store.far(*["x" * 100] * 2000)
        self.store.heard("lobby", 2000)
        self.assertEqual(self.ear.seqs["lobby"], list(range(1, 2001)))

    def test_heard_while_reading(self) -> None:
        """What is heard while the log is being read is read too; one reading at a time."""
        self.store.holding_reads = True
        for text in "abc":
            self.store.far(text)
            self.store.heard("lobby", self.store.head())
        self.assertEqual(self.store.waiting, 1)
        for _ in range(3):
            self.store.release()
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2, 3]})

    def test_topic(self) -> None:
        """Whatever another node appended counts as if it had been said here."""
        self.store.far("a")
        self.store.heard("lobby", 1)
        bob_ear = Ear()
        self.enter("bob", bob_ear)
        self.assertEqual(bob_ear.seqs, {"lobby": [1]})


class GapTests(NodeTestCase):
    def test_own_line_behind_others(self) -> None:
        """A line that landed behind another node's is answered, and shown, when the room has come to it."""
        self.store.far("a", "b")
        self.store.holding_reads = True
        self.say("c")
        self.turn()
        self.assertEqual(self.said, [])
        self.store.release()
        self.assertEqual(self.said, ["stored c as 3", "shown a", "shown b", "shown c"])

    def test_in_the_middle_of_a_batch(self) -> None:
        """Lines that another node's stand between are all shown, and answered as far as the room has come."""
        self.say("a")
        self.turn()
        self.store.far("b")
        self.store.holding_reads = True
        self.say("c")
        self.turn()
        self.say("d")
        self.turn()
        self.assertEqual(self.said, ["stored a as 1", "shown a"])
        self.store.release()
        self.store.release()
        self.turn()
        self.store.release()
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2, 3, 4]})
        self.assertEqual({line for line in self.said if "stored" in line}, {f"stored {t}" for t in STORED})

    def test_key_of_another_node(self) -> None:
        """A line whose key stands as another node's event is answered when that has been taken in."""
        self.store.far("a", key="k")
        self.store.holding_reads = True
        self.say("a2", key="k")
        self.turn()
        self.assertEqual(self.said, [])
        self.store.release()
        self.assertEqual(self.said, ["stored a2 as 1 again", "shown a"])

    def test_refused_beside_a_gap(self) -> None:
        """A refusal waits for nothing."""
        self.store.fault = StoreError("The disk is full.")
        self.store.far("a")
        self.say("b")
        self.turn()
        self.assertEqual(self.said, ["refused b: not-stored"])

    def test_both_ways_in_a_large_room(self) -> None:
        """While a batch is being shown to a crowd another node's lines come in: everybody sees all, in order."""
        ears = [Ear() for _ in range(200)]
        for number, ear in enumerate(ears):
            self.enter(f"p{number}", ear)
        self.clock.look_seconds = 0.003
        self.say("a")
        self.clock.turn()
        self.store.far("b")
        self.store.heard("lobby", 2)
        self.assertTrue(0 < sum(bool(ear.seqs) for ear in ears) < 200)
        self.say("c", "d")
        self.clock.turn()
        self.store.far("e")
        self.clock.look_seconds = 0
        self.store.heard("lobby", self.store.head())
        self.clock.pump([MAX_PAUSE_SECONDS] * 10)
        self.assertEqual([ear.seqs for ear in ears], [{"lobby": [1, 2, 3, 4, 5]}] * 200)

    def test_left_meanwhile(self) -> None:
        """Who left before the room has come to a line is still answered; then the room is forgotten."""
        self.store.far("a")
        self.store.holding_reads = True
        self.say("b")
        self.turn()
        self.ann.leave("lobby")
        self.store.release()
        self.assertEqual((self.said, list(self.hub.rooms)), (["stored b as 2"], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])


STORED = ("a as 1", "c as 3", "d as 4")


class FaultTests(NodeTestCase):
    def test_not_readable(self) -> None:
        """What can't be read is read when it can; nobody is told anything out of order meanwhile."""
        self.store.far("a")
        self.say("b")
        self.turn()
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2]})
        self.store.far("c")
        self.store.fault = StoreError("The disk is on fire.")
        self.store.heard("lobby", 3)
        self.clock.pump([RETRY_SECONDS] * 3)
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2]})
        self.store.fault = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.ear.seqs, {"lobby": [1, 2, 3]})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost_its_end(self) -> None:
        """Where the log has lost what it was said to hold, the room goes on behind it, and everybody in it with it."""
        self.say("a")
        self.turn()
        self.store.far("b", "c")
        self.store.lost_from = 2
        self.store.heard("lobby", 3)
        self.assertEqual((self.ear.seqs, self.ann.last_seq("lobby")), ({"lobby": [1]}, 3))
        self.assertTrue(self.ann.has_seen_all)
        self.store.lost_from = 10**9
        self.say("d")
        self.turn()
        self.assertEqual(self.ear.seqs, {"lobby": [1, 4]})

    def test_broken_reader(self) -> None:
        """A reader that raises at another node's line keeps it from nobody."""

        class Broken(Ear):
            @override
            def show_presence(self, data: bytes) -> bool:
                return True

            @override
            def show(self, page: object) -> bool:
                raise ZeroDivisionError

        broken = Broken()
        self.enter("bob", broken)
        self.enter("carol")
        self.store.far("a")
        self.store.heard("lobby", 1)
        self.assertEqual((self.ear.seqs, broken.heard), ({"lobby": [1]}, ["fault"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class EndTests(SynchronousTestCase):
    def test_pauses_are_short(self) -> None:
        """What the feed waits for is over long before a lost session is."""
        self.assertLess(RETRY_SECONDS + MAX_PAUSE_SECONDS, LINGER_SECONDS)
