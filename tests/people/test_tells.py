"""Private lines between nodes: what their sender is told, whichever of the two is silent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.people.asking import HeldAsking
from tests.reactor import Reactor
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.people.asking import UNKNOWN
from twistedchat.people.tells import ANSWER_SECONDS, Elsewhere, Far, Tells
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from twistedchat.people.base import Deed, Hearer, Named

LOST = StoreError("The cable is cut.")
ANN = Elsewhere("ann")


class Bob:
    """Somebody here."""

    name = "bob"

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_full = False

    async def undergo(self, deed: Deed) -> None:
        """Nothing is done to it."""

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        if self.is_full:
            raise ChatError("not-reading", "bob does not read.")
        self.heard.append(f"{sender.name}: {text} at {at}")


class TellsTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.asking = HeldAsking()
        self.bob = Bob()
        here: dict[str, Hearer] = {"bob": self.bob}
        self.tells = Tells(self.asking, self.clock, here.get)


class SendTests(TellsTestCase):
    def send(self, *, is_here: bool = True) -> Deferred[None]:
        return Deferred.fromCoroutine(Far(self.tells, "eve", UNKNOWN, (), is_here=is_here).hear(ANN, "hi", 7))

    def sent(self, number: int = 1) -> Deferred[None]:
        """A line that lies in the database."""
        sending = self.send()
        self.assertEqual(self.asking.look(), [("tell", "eve", "ann", "hi", 7)])
        self.asking.answer(number)
        self.assertNoResult(sending)
        return sending

    def hear(self, *answer: object, node: str = "me") -> None:
        self.tells.heard_answer(f"{node} {json.dumps(answer)}")

    def refusal(self, sending: Deferred[None]) -> tuple[str, str]:
        error = self.failureResultOf(sending, ChatError).value
        return error.code, error.text

    def test_taken(self) -> None:
        """It is acknowledged when the other node says that it was taken, and each by its own answer."""
        first, second = self.sent(1), self.sent(2)
        self.hear(2, "", "")
        self.assertNoResult(first)
        self.successResultOf(second)
        self.hear(1, "", "")
        self.successResultOf(first)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """Its sender is told what the other node says."""
        sending = self.sent()
        self.hear(1, "not-reading", "eve does not read.")
        self.assertEqual(self.refusal(sending), ("not-reading", "eve does not read."))

    def test_answers_of_others(self) -> None:
        """What another node is told, and what nobody waits for, changes nothing."""
        sending = self.sent()
        self.hear(1, "", "", node="you")
        self.hear(9, "", "")
        self.assertNoResult(sending)
        self.hear(1, "", "")
        self.hear(1, "not-here", "twice")
        self.successResultOf(sending)

    def test_nobody_takes_it(self) -> None:
        """A line that no node takes is withdrawn, and its sender is told that it was not delivered."""
        sending = self.sent()
        self.clock.advance(ANSWER_SECONDS)
        self.assertEqual(self.asking.look(), [("withdraw", 1)])
        self.assertNoResult(sending)
        self.asking.answer(True)
        told = "eve can't be reached now: your line was not delivered. Try again in a minute."
        self.assertEqual(self.refusal(sending), ("not-here", told))

    def test_taken_without_an_answer(self) -> None:
        """Where a node has taken it and says nothing, whether it was seen is not known; a late answer is nobody's."""
        sending = self.sent()
        self.clock.advance(ANSWER_SECONDS)
        self.asking.answer(False)
        told = "eve was lost just now: whether your line was seen is not known."
        self.assertEqual(self.refusal(sending), ("not-here", told))
        self.hear(1, "", "")

    def test_not_there(self) -> None:
        """Nothing is sent to somebody whose connection is lost, or who has left meanwhile."""
        self.assertEqual(self.refusal(self.send(is_here=False))[0], "not-here")
        self.assertEqual(self.asking.look(), [])
        sending = self.send()
        self.asking.answer(None)
        self.assertEqual(self.refusal(sending), ("not-here", "eve is not here any more."))

    def test_database_lost(self) -> None:
        """Without the database it is not known, and its sender is told to try again."""
        sending = self.send()
        self.asking.fail(LOST)
        self.assertEqual(self.refusal(sending)[0], "not-ready")
        sending = self.send()
        self.asking.answer(2)
        self.clock.advance(ANSWER_SECONDS)
        self.asking.fail(LOST)
        self.assertEqual(self.refusal(sending)[0], "not-ready")


class TakeTests(TellsTestCase):
    def test_taken(self) -> None:
        """Lines for this node are shown in their order, and each one's node is told what became of it."""
        self.tells.heard("you")
        self.assertEqual(self.asking.look(), [])
        self.tells.heard("me")
        self.asking.answer([(1, "a", "bob", "ann", "hi", 7), (2, "b", "cat", "ann", "hi", 8)])
        self.asking.answer()
        self.asking.answer()
        self.assertEqual(self.bob.heard, ["ann: hi at 7"])
        self.assertEqual(
            self.asking.look(),
            [("take",), ("told", "a", 1, "", ""), ("told", "b", 2, "not-here", "cat is not here any more.")],
        )

    def test_not_reading(self) -> None:
        """Who can't be shown a line is not shown it later, and its sender is told why."""
        self.bob.is_full = True
        self.tells.take()
        self.asking.answer([(1, "a", "bob", "ann", "hi", 7)])
        self.assertEqual(self.asking.look()[1:], [("told", "a", 1, "not-reading", "bob does not read.")])

    def test_more_meanwhile(self) -> None:
        """What comes while lines are taken is taken afterwards, all at once."""
        self.tells.take()
        self.tells.take()
        self.tells.take()
        self.assertEqual(self.asking.look(), [("take",)])
        self.asking.answer([])
        self.assertEqual(self.asking.look(), [("take",)])
        self.asking.answer([])
        self.assertEqual(self.asking.look(), [])

    def test_database_lost(self) -> None:
        """When the database is lost, what is still there is taken the next time."""
        self.tells.take()
        self.asking.fail(LOST)
        self.tells.take()
        self.assertEqual(self.asking.look(), [("take",)] * 2)
