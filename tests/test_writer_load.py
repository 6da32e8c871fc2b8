from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.drafts import draft
from tests.fakes import now
from tests.writing import FULL, WriterTestCase
from twistedchat.appender import RETRY_SECONDS
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.writer import (
    MAX_WAITING_BYTES,
    MAX_WAITING_LINES,
    Writer,
)


class RefuseTests(WriterTestCase):
    def test_what_waits(self) -> None:
        """Every line that is in no commit is refused at once, and never stored; what is in one is stored."""
        self.store.holding = True
        self.say("a")
        self.turn()
        self.say("b")
        self.say("x", queue=self.py)
        self.writer.refuse(ChatError("gone", "The name may be another's."))
        self.assertEqual(sorted(self.ann.heard), ["b refused: gone", "x refused: gone"])
        self.release()
        self.writer.accept()
        self.say("c")
        self.turn()
        self.release()
        self.assertEqual(self.store.commits, [["a"], ["c"]])
        self.assertTrue(self.lobby.is_idle and self.py.is_idle)
        self.assertTrue(self.successResultOf(Deferred.fromCoroutine(self.writer.settle(1))))

    def test_behind_what_is_shown(self) -> None:
        """So are the lines of a room that is being shown its last batch."""
        self.sink.slow = True
        self.say("a")
        self.turn()
        self.say("b")
        self.writer.refuse(ChatError("gone", "The name may be another's."))
        self.assertEqual(self.ann.heard, ["a is 1", "b refused: gone"])
        self.sink.show()
        self.turn()
        self.assertEqual(self.store.commits, [["a"]])

    def test_until_accept(self) -> None:
        """Until lines are taken again each new one is refused at once, and none of them is ever stored."""
        self.store.holding = True
        self.say("a")
        self.turn()
        self.writer.refuse(ChatError("gone", "The name may be another's."))
        errors = []
        for text in ("b", "c"):
            with self.assertRaises(ChatError) as caught:
                self.say(text)
            errors.append(caught.exception)
        self.assertEqual([error.code for error in errors], ["gone", "gone"])
        # One that is raised twice would remember both places.
        self.assertIsNot(errors[0], errors[1])
        self.writer.accept()
        self.say("d")
        self.release()
        self.release()
        self.assertEqual(self.store.commits, [["a"], ["d"]])
        self.assertEqual(self.ann.heard, ["a is 1", "d is 2"])

    def test_makes_room(self) -> None:
        """Those who were kept waiting may talk again, and a receipt that fails keeps it from nobody."""
        called: list[bool] = []
        self.say(*map(str, range(MAX_WAITING_LINES)))
        self.writer.when_drained(lambda: called.append(self.writer.full))
        self.ann.broken = True
        self.writer.refuse(ChatError("gone", "The name may be another's."))
        self.assertEqual(called, [False])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), MAX_WAITING_LINES)


class BackpressureTests(WriterTestCase):
    def test_lines(self) -> None:
        """It is full at the high-water mark of lines, and calls back once when half of them are stored and shown."""
        called: list[bool] = []
        self.store.holding = True
        self.say(*map(str, range(MAX_WAITING_LINES - 1)))
        self.assertFalse(self.writer.full)
        self.say("one more")
        self.assertTrue(self.writer.full)
        self.writer.when_drained(lambda: called.append(self.writer.full))
        self.turn()
        self.assertEqual(called, [])
        for _ in range(3):
            self.release()
        self.assertEqual(called, [False])

    def test_bytes(self) -> None:
        """So it is in bytes."""
        called: list[bool] = []
        self.store.holding = True
        text = "x" * 4000
        while not self.writer.full:
            self.say(text)
        count = len(self.lobby.lines)
        self.assertTrue(0.9 * MAX_WAITING_BYTES < count * len(text) < 1.1 * MAX_WAITING_BYTES)
        self.writer.when_drained(lambda: called.append(self.writer.full))
        for _ in range(20):
            self.turn()
            self.release()
        self.assertEqual((called, len(self.ann.heard)), ([False], count))

    def test_tags_wait_too(self) -> None:
        """What goes with the lines counts as their texts do."""
        self.store.holding = True
        line = draft("lobby", Kind.SAY, "ann", "x", tags="+x=" + "y" * 4000)
        count = 0
        while not self.writer.full:
            self.writer.submit(self.lobby, line, self.ann, count)
            count += 1
        self.assertTrue(0.9 * MAX_WAITING_BYTES < count * len(line.tags) < 1.1 * MAX_WAITING_BYTES)
        for _ in range(20):
            self.turn()
            self.release()
        self.assertFalse(self.writer.full)

    def test_called_again(self) -> None:
        """Whoever brings lines again when it is called, and asks again, is called in its turn."""
        called: list[int] = []

        def more() -> None:
            called.append(len(called))
            self.say(*["again"] * MAX_WAITING_LINES)
            if len(called) < 3:
                self.writer.when_drained(more)

        self.say(*["first"] * MAX_WAITING_LINES)
        self.writer.when_drained(more)
        self.clock.pump([0] * 20)
        self.assertEqual((called, len(self.ann.heard)), ([0, 1, 2], 4 * MAX_WAITING_LINES))

    def test_not_open(self) -> None:
        """Until it is opened nobody is to bring lines."""
        writer = Writer(self.store, self.clock)
        called: list[bool] = []
        writer.when_drained(lambda: called.append(writer.full))
        self.assertEqual((writer.full, called), (True, []))
        writer.open(self.sink)
        self.assertEqual(called, [False])


class SettleTests(WriterTestCase):
    def settle(self, seconds: float = 10) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.writer.settle(seconds))

    def test_nothing(self) -> None:
        """It is settled at once if nothing was submitted, and leaves no timer."""
        self.assertTrue(self.successResultOf(self.settle()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stored_and_shown(self) -> None:
        """It is settled when all that was submitted has been stored, answered and shown."""
        self.store.holding = self.sink.slow = True
        self.say("a")
        settled = self.settle()
        self.turn()
        self.release()
        self.assertNoResult(settled)
        self.sink.show()
        self.assertTrue(self.successResultOf(settled))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """A store that refuses settles too."""
        self.store.raises = FULL
        self.say("a")
        settled = self.settle()
        self.turn()
        self.assertTrue(self.successResultOf(settled))

    def test_too_late(self) -> None:
        """A store whose outcome stays unknown does not hold the stop for ever."""
        self.store.doubtful = {"a"}
        self.say("a")
        settled, other = self.settle(5), self.settle(60)
        self.turn()
        self.clock.pump([1] * 4)
        self.assertNoResult(settled)
        self.clock.advance(1)
        self.assertFalse(self.successResultOf(settled))
        self.store.doubtful = set()
        self.clock.advance(RETRY_SECONDS)
        self.assertTrue(self.successResultOf(other))
        self.assertTrue(now(self.writer.settle(1)))
