"""What happens to people, on its way to the database: in order, told until it is known, never for ever in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.reactor import Reactor
from twistedchat.people.changes import ASK_SECONDS, GATHER_SECONDS, MAX_OPS, RETRY_SECONDS, Changes
from twistedchat.postgres.errors import AnswerError, LostError
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOST = LostError("The cable is cut.")
NEVER = AnswerError("There is no such table.", "42P01")


class ChangesTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.changes = Changes(self.tell, self.clock)
        self.told: list[list[str]] = []
        self.waiting: list[Deferred[Sequence[object] | None]] = []

    async def tell(self, ops: Sequence[Sequence[object]]) -> Sequence[object] | None:
        """As the database."""
        self.told.append([" ".join(map(str, op)) for op in ops])
        answer: Deferred[Sequence[object] | None] = Deferred()
        self.waiting.append(answer)
        return await answer

    def look(self) -> list[list[str]]:
        """What was told since the last look, once it is time."""
        self.clock.advance(GATHER_SECONDS)
        told, self.told = self.told, []
        return told

    def answer(self, *answers: object) -> None:
        self.waiting.pop(0).callback(answers)

    def lose(self, error: StoreError = LOST) -> None:
        """The statement has no answer, or is refused; time passes until it is tried again."""
        self.waiting.pop(0).errback(error)
        self.clock.advance(RETRY_SECONDS)

    def ask(self, *op: object, undo: Sequence[object] = ("release", "ann")) -> Deferred[object]:
        asked = Deferred.fromCoroutine(self.changes.ask(*op, undo=undo))
        self.clock.advance(0)
        return asked


class NoteTests(ChangesTestCase):
    def test_gathered(self) -> None:
        """What happens within a moment is one statement, in order."""
        self.changes.note("enter", "lobby", "ann")
        self.clock.advance(GATHER_SECONDS / 2)
        self.changes.note("enter", "lobby", "bob")
        self.assertEqual((self.told, self.changes.is_idle), ([], False))
        self.assertEqual(self.look(), [["enter lobby ann", "enter lobby bob"]])
        self.answer(None, None)
        self.assertEqual((self.look(), self.changes.is_idle), ([], True))

    def test_one_at_a_time(self) -> None:
        """While a statement is under way, what happens waits and is the next one."""
        self.changes.note("a")
        self.assertEqual(self.look(), [["a"]])
        self.changes.note("b")
        asked = self.ask("c")
        self.assertEqual(self.look(), [])
        self.answer(None)
        self.assertEqual(self.look(), [["b", "c"]])
        self.answer(None, "yes")
        self.assertEqual(self.successResultOf(asked), "yes")

    def test_without_an_answer(self) -> None:
        """A statement without an answer is told again until it has one, before all that came later."""
        self.changes.note("a")
        self.look()
        for _ in range(5):
            self.changes.note("b")
            self.lose()
        self.assertEqual(self.look()[:2], [["a", "b"], ["a", "b", "b"]])
        self.assertFalse(self.changes.is_idle)
        self.answer(*[None] * 6)
        self.assertEqual((self.look(), self.changes.is_idle), ([], True))

    def test_many(self) -> None:
        """A crowd is told in several statements, at once one after the other if somebody waits."""
        for number in range(MAX_OPS + 1):
            self.changes.note(str(number))
        asked = self.ask("last")
        self.assertEqual([len(ops) for ops in self.told], [MAX_OPS])
        self.answer(*range(MAX_OPS))
        self.clock.advance(0)
        self.assertEqual(self.told[1:], [[str(MAX_OPS), "last"]])
        self.answer(None, "yes")
        self.assertEqual(self.successResultOf(asked), "yes")

    def test_impossible(self) -> None:
        """A change that can never be told is found and left out; the others are told, and in large numbers again."""
        self.changes.note("good")
        asked = self.ask("bad")
        self.lose(NEVER)
        self.answer(None)
        self.clock.advance(0)
        self.changes.note("later")
        self.changes.note("and this")
        self.lose(NEVER)
        self.assertIs(self.failureResultOf(asked).value, NEVER)
        self.assertEqual(self.look(), [["good", "bad"], ["good"], ["bad"], ["later", "and this"]])

    def test_impossible_only_together(self) -> None:
        """If each can be told alone, several are told together afterwards as before."""
        self.changes.note("a")
        self.changes.note("b")
        self.look()
        self.lose(NEVER)
        self.answer(None)
        self.assertEqual(self.look(), [["a"], ["b"]])
        self.answer(None)
        self.changes.note("c")
        self.changes.note("d")
        self.assertEqual(self.look(), [["c", "d"]])


class AskTests(ChangesTestCase):
    def test_at_once(self) -> None:
        """Who asks is not kept waiting, and what happened before is told before it."""
        self.changes.note("enter", "lobby", "bob")
        asked = self.ask("claim", "ann")
        self.assertEqual(self.told, [["enter lobby bob", "claim ann"]])
        self.answer(None, {"holder": "ann"})
        self.assertEqual(self.successResultOf(asked), {"holder": "ann"})

    def give_up(self, how: str, asked: Deferred[object]) -> None:
        if how == "cancelled":
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
        else:
            self.clock.advance(ASK_SECONDS)
            self.failureResultOf(asked, StoreError)

    def test_given_up_under_way(self) -> None:
        """Who waits no longer for what may be done has it undone."""
        for how in ("cancelled", "too late"):
            asked = self.ask("claim", "ann")
            self.give_up(how, asked)
            self.answer(None)
            self.assertEqual(self.look(), [["claim ann"], ["release ann"]])
            self.answer(None)

    def test_given_up_before(self) -> None:
        """What was not told yet is not told at all."""
        for how in ("cancelled", "too late"):
            self.changes.note("enter", "lobby", "bob")
            self.look()
            asked = self.ask("claim", "ann")
            self.give_up(how, asked)
            self.answer(None)
            self.assertEqual((self.look(), self.changes.is_idle), ([], True))

    def test_given_up_between_tries(self) -> None:
        """What was told once without an answer may have been done: it is not told again, but undone."""
        asked = self.ask("claim", "ann")
        self.waiting.pop(0).errback(LOST)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.look(), [["claim ann"], ["release ann"]])

    def test_late_answer(self) -> None:
        """An answer that nobody waits for any more is nobody's."""
        asked = self.ask("claim", "ann")
        self.lose()
        self.clock.advance(ASK_SECONDS)
        self.failureResultOf(asked, StoreError)
        self.answer(None)
        self.assertEqual(self.look(), [["claim ann"], ["claim ann"], ["release ann"]])


class LapseTests(ChangesTestCase):
    def test_forgotten(self) -> None:
        """When the lease has lapsed nothing of this is done, who waits is told, and nothing is undone."""
        self.changes.note("enter", "lobby", "bob")
        asked = self.ask("claim", "ann")
        waits = self.ask("claim", "eve")
        self.changes.forget()
        for each in (asked, waits):
            self.failureResultOf(each, StoreError)
        self.changes.note("enter", "tea", "bob")
        self.lose()
        self.assertEqual(self.look(), [["enter lobby bob", "claim ann"]])
        self.changes.resume()
        self.clock.advance(0)
        self.assertEqual(self.look(), [["enter tea bob"]])

    def test_answer_after_that(self) -> None:
        """An answer to what was forgotten is no answer to what has happened since."""
        self.changes.note("a")
        self.look()
        self.changes.forget()
        self.changes.note("b")
        self.answer(None)
        self.assertFalse(self.changes.is_idle)
        self.changes.resume()
        self.assertEqual(self.look(), [["b"]])

    def test_lapsed_elsewhere(self) -> None:
        """That the lease has lapsed is no answer: it is told again, unless it is forgotten."""
        self.changes.note("a")
        self.look()
        self.waiting.pop(0).callback(None)
        self.assertEqual(self.look(), [["a"]])
        self.waiting.pop(0).callback(None)
        self.changes.forget()
        self.assertEqual((self.look(), self.changes.is_idle), ([], True))

    def test_resumed_without_anything(self) -> None:
        """Where nothing has happened nothing is told."""
        self.changes.forget()
        self.changes.resume()
        self.assertEqual(self.look(), [])


class EndTests(ChangesTestCase):
    def test_flushed(self) -> None:
        """In the end all is told at once, and what happens later is not."""
        self.changes.note("release", "ann")
        flushed = Deferred.fromCoroutine(self.changes.flush())
        self.assertEqual(self.told, [["release ann"]])
        self.answer(None)
        self.successResultOf(flushed)
        self.changes.close()
        self.changes.note("release", "bob")
        self.assertEqual((self.look()[1:], self.clock.getDelayedCalls()), ([], []))

    def test_closed_with_a_timer(self) -> None:
        """What is closed leaves nothing on the reactor."""
        self.changes.note("release", "ann")
        self.changes.close()
        self.assertEqual((self.look(), self.clock.getDelayedCalls()), ([], []))
