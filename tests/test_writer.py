from __future__ import annotations

from tests.writing import FULL, WriterTestCase
from twistedchat.appender import RETRY_SECONDS
from twistedchat.writer import (
    MAX_BATCH_BYTES,
    MAX_BATCH_LINES,
)


class BatchTests(WriterTestCase):
    def test_one_turn(self) -> None:
        """What is said in one turn of the reactor, in whichever rooms, is one commit; each room is a batch of it."""
        self.say("a", "b")
        self.say("x", queue=self.py)
        self.say("c")
        self.assertEqual(self.store.commits, [])
        self.turn()
        self.assertEqual(self.store.commits, [["a", "b", "c", "x"]])
        self.assertEqual(self.sink.landed_texts, [["a", "b", "c"], ["x"]])
        self.assertEqual(self.ann.heard, ["a is 1", "b is 2", "c is 3", "x is 1"])

    def test_group_commit(self) -> None:
        """While a commit is under way what arrives waits, and is the next one, in the order of arrival."""
        self.store.holding = True
        self.say("a")
        self.turn()
        self.say("b", "c")
        self.turn()
        self.assertEqual((self.store.commits, self.sink.landed_texts), ([["a"]], []))
        self.release()
        self.assertEqual(self.store.commits, [["a"], ["b", "c"]])
        self.release()
        self.assertEqual(self.ann.heard, ["a is 1", "b is 2", "c is 3"])

    def test_most_lines(self) -> None:
        """No commit has more lines than the limit, and the order stays."""
        texts = [str(number) for number in range(MAX_BATCH_LINES + 10)]
        self.say(*texts)
        self.turn()
        self.turn()
        self.assertEqual(self.store.commits, [texts[:MAX_BATCH_LINES], texts[MAX_BATCH_LINES:]])

    def test_most_bytes(self) -> None:
        """No commit has more bytes than the limit and one line, and the order stays."""
        texts = [f"{number:04000}" for number in range(MAX_BATCH_BYTES // 4000 * 2)]
        self.say(*texts)
        for _ in range(4):
            self.turn()
        self.assertEqual([text for commit in self.store.commits for text in commit], texts)
        self.assertLessEqual(max(sum(map(len, commit)) for commit in self.store.commits), MAX_BATCH_BYTES + 4096)
        self.assertLessEqual(len(self.store.commits), 3)

    def test_busy_room_waits(self) -> None:
        """A room whose batch is still being shown waits; another does not."""
        self.sink.slow = True
        self.say("a")
        self.turn()
        self.say("b")
        self.say("x", queue=self.py)
        self.turn()
        self.assertEqual(self.store.commits, [["a"], ["x"]])
        self.sink.show()
        self.turn()
        self.assertEqual(self.store.commits, [["a"], ["x"], ["b"]])

    def test_pause(self) -> None:
        """A room's next batch waits as long as its showing asked for; another room's does not."""
        self.sink.not_before = self.clock.seconds() + 0.02
        self.say("a")
        self.turn()
        self.sink.not_before = 0.0
        self.say("b")
        self.say("x", queue=self.py)
        self.turn()
        self.clock.advance(0.019)
        self.assertEqual(self.store.commits, [["a"], ["x"]])
        self.clock.advance(0.001)
        self.assertEqual(self.store.commits, [["a"], ["x"], ["b"]])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fair(self) -> None:
        """A room with a long backlog takes its turn behind those that waited longer."""
        self.store.holding = True
        self.say("first")
        self.turn()
        self.say(*map(str, range(MAX_BATCH_LINES + 1)))
        self.say("x", queue=self.py)
        self.release()
        self.release()
        self.release()
        self.release()
        commits = [commit for commit in self.store.commits if "x" in commit]
        self.assertEqual([commit[0] for commit in commits], ["x"])
        self.assertEqual(sum(map(len, self.store.commits)), MAX_BATCH_LINES + 3)

    def test_idle(self) -> None:
        """A queue is idle when nothing waits in it and nothing of it is being stored or shown."""
        seen = [self.lobby.is_idle]
        self.store.holding = self.sink.slow = True
        self.say("a")
        seen.append(self.lobby.is_idle)
        self.turn()
        seen.append(self.lobby.is_idle)
        self.release()
        seen.append(self.lobby.is_idle)
        self.sink.show()
        self.assertEqual([*seen, self.lobby.is_idle], [True, False, False, False, True])


class OutcomeTests(WriterTestCase):
    def test_key_that_stands(self) -> None:
        """A line whose key stands, in this batch or before, is answered with the event that stands."""
        self.say("a", "b", key="k")
        self.turn()
        self.say("c", key="k")
        self.turn()
        self.assertEqual(self.ann.heard, ["a is 1", "b is 1 again", "c is 1 again"])

    def test_refused(self) -> None:
        """What can't be stored is refused; the operator is told when that begins and when it ends; then it goes on."""
        for fault, text in [(FULL, "a"), (FULL, "b"), (None, "c"), (None, "d")]:
            self.store.raises = fault
            self.say(text)
            self.turn()
        self.assertEqual(self.ann.heard, ["a refused: not-stored", "b refused: not-stored", "c is 1", "d is 2"])
        self.assertEqual(self.logged, ["error", "info"])

    def test_one_of_several(self) -> None:
        """A store may refuse some lines of a batch and take others."""
        self.store.lost = {"b"}
        self.say("a", "b", "c")
        self.turn()
        self.assertEqual(self.ann.heard, ["a is 1", "b refused: not-stored", "c is 2"])

    def test_fault_of_the_stores_own(self) -> None:
        """A store that fails in an unforeseen way is logged, its lines are refused, and it goes on."""
        self.store.raises = ZeroDivisionError()
        self.say("a")
        self.turn()
        self.store.raises = None
        self.say("b")
        self.turn()
        self.assertEqual(self.ann.heard, ["a refused: not-stored", "b is 1"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_too_few(self) -> None:
        """A store that answers for fewer lines than it was given has refused them, which is logged; rooms go on."""
        self.store.short = 1
        self.say("a", "b")
        self.turn()
        self.store.short = 0
        self.say("c")
        self.turn()
        self.assertEqual(self.ann.heard[:2], ["a refused: not-stored", "b refused: not-stored"])
        self.assertEqual(len(self.ann.heard), 3)
        self.assertEqual(self.logged, ["error", "info"])


class UnknownTests(WriterTestCase):
    def test_asked_again(self) -> None:
        """Of lines whose outcome is unknown the store is asked again, before anybody is told anything."""
        self.store.doubtful = {"b", "c"}
        self.say("a", "b", "c")
        self.turn()
        self.assertEqual((self.ann.heard, self.store.asked), ([], []))
        self.store.doubtful = {"c"}
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual((self.ann.heard, self.store.asked), ([], [["b", "c"]]))
        self.store.doubtful = set()
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.store.asked, [["b", "c"], ["c"]])
        self.assertEqual(self.ann.heard, ["a is 1", "b is 2", "c is 3"])

    def test_turns_out_refused(self) -> None:
        """A line that turns out not to stand is refused."""
        self.store.doubtful = self.store.lost = {"b"}
        self.say("a", "b")
        self.turn()
        self.store.doubtful = set()
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.ann.heard, ["a is 1", "b refused: not-stored"])

    def test_not_to_be_asked(self) -> None:
        """A store that can't be asked is asked again: nobody is told that a line was not stored which may be."""
        self.store.doubtful = {"a"}
        self.say("a")
        self.turn()
        self.store.doubtful = set()
        for fault in (FULL, ZeroDivisionError()):
            self.store.raises = fault
            self.clock.advance(RETRY_SECONDS)
        self.assertEqual((self.ann.heard, len(self.flushLoggedErrors(ZeroDivisionError))), ([], 1))
        self.store.raises = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual((self.ann.heard, self.clock.getDelayedCalls()), (["a is 1"], []))

    def test_nothing_overtakes(self) -> None:
        """Until it is known nothing else is appended: one append or question at a time."""
        self.store.doubtful = {"a"}
        self.say("a")
        self.turn()
        self.say("b")
        self.say("x", queue=self.py)
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.store.commits, [["a"]])
        self.store.doubtful = set()
        self.clock.advance(RETRY_SECONDS)
        self.turn()
        self.assertEqual(self.store.commits, [["a"], ["x"], ["b"]])
        self.assertEqual(set(self.ann.heard), {"a is 1", "b is 2", "x is 1"})
