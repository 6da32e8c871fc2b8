from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.fakes import HeldStore, Reactor
from twistedchat.doors.channel import FAULT, MIN_WAIT_SECONDS, REQUESTS_A_TURN, Channel, Farewell, Pace
from twistedchat.events import Kind
from twistedchat.turns import TURN_SECONDS, Turns
from twistedchat.writer import MAX_WAITING_LINES, Batch, Queue, Writer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from twistedchat.errors import ChatError
    from twistedchat.stores.base import Stored

NO_LIMIT = Pace(0, 1)
GOODBYE = Farewell("stopping", "Goodbye.")


class Requests:
    """A source: what a peer has sent.

    Attributes:
        waiting: What was not given out.
        much: With more than so many waiting, no more should be received.
        full: Whether the peer takes nothing.
        reading: Whether the peer is received from.
        shut_down: Whether it was closed.
    """

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.much = 0
        self.full = False
        self.reading = True
        self.shut_down = 0

    @property
    def owes(self) -> bool:
        return bool(self.waiting)

    @property
    def owes_much(self) -> bool:
        return len(self.waiting) > self.much

    def next(self) -> object | None:
        return self.waiting.pop(0) if self.waiting else None

    def read(self, *, on: bool) -> None:
        self.reading = on

    def discard(self) -> None:
        self.waiting.clear()

    def shut(self) -> None:
        self.shut_down += 1


class Listener:
    """A door: does what is asked, or waits with it.

    Attributes:
        asked: The requests that it was given.
        answers: One for each that waits, while `slow`.
        done: The requests that were answered, or cancelled.
        told: What else it was told.
    """

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.answers: list[Deferred[None]] = []
        self.done: list[str] = []
        self.told: list[str] = []
        self.slow = False
        self.unanswered = 0
        self.has_seen_all = True

    def request(self, request: Any) -> Coroutine[Deferred[Any], Any, None] | None:
        self.asked.append(request)
        if request == "fault":
            raise ZeroDivisionError
        return self._answer(request) if self.slow else None

    async def _answer(self, request: str) -> None:
        answer: Deferred[None] = Deferred()
        self.answers.append(answer)
        try:
            await answer
        except CancelledError:
            self.done.append(f"{request} cancelled")
            raise
        self.done.append(request)

    def drained(self) -> None:
        self.told.append("drained")
        self.has_seen_all = True

    def farewell(self, farewell: Farewell) -> None:
        self.told.append(farewell.text)

    def lost(self) -> None:
        self.told.append("lost")


class Nobody:
    """Wants to know nothing of its lines, and shows them to nobody."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def landed(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self.writer.shown(batch, 0)

    def stored(self, tag: object, stored: Stored) -> None:
        """It does not ask."""

    def refused(self, tag: object, error: ChatError) -> None:
        """Nor here."""


class ChannelTestCase(SynchronousTestCase):
    pace = NO_LIMIT

    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.writer = Writer(HeldStore(self.clock.seconds), self.clock)
        self.nobody = Nobody(self.writer)
        self.writer.open(self.nobody)
        self.source, self.door = Requests(), Listener()
        self.turns = Turns(self.clock)
        self.channel = self.open(self.source, self.door)

    def open(self, source: Requests, door: Listener) -> Channel:
        channel = Channel(source, self.writer, self.turns, self.clock, self.pace)
        channel.door = door
        return channel

    def send(self, *requests: str) -> None:
        self.source.waiting += requests
        self.channel.work()

    def expect_closed(self, *told: str) -> None:
        """It is closed once, with this told to the door, and no timer is left."""
        self.assertEqual((self.door.told, self.source.shut_down), ([*told], 1))
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class TurnTests(ChannelTestCase):
    def test_in_order(self) -> None:
        """Requests are taken in the order sent, at once, and then the peer is received from again."""
        self.send("a", "b", "c")
        self.assertEqual((self.door.asked, self.source.reading), (["a", "b", "c"], True))

    def test_many(self) -> None:
        """A long paste is taken in several turns of the reactor, and the peer is not received from until it is."""
        self.clock.look_seconds = TURN_SECONDS
        self.send(*map(str, range(5 * REQUESTS_A_TURN)))
        while not self.source.reading:
            before = len(self.door.asked)
            self.assertLess(before, 5 * REQUESTS_A_TURN)
            self.clock.turn()
            self.assertLessEqual(len(self.door.asked) - before, REQUESTS_A_TURN)
        self.assertEqual(self.door.asked, [str(number) for number in range(5 * REQUESTS_A_TURN)])

    def test_a_little_more(self) -> None:
        """A peer that only waits for its turn, with little more to ask, is received from meanwhile."""
        self.source.much = REQUESTS_A_TURN
        self.send(*map(str, range(2 * REQUESTS_A_TURN)))
        self.assertEqual((len(self.door.asked), self.source.reading), (REQUESTS_A_TURN, True))
        self.send("more")
        self.assertEqual((len(self.door.asked), self.source.reading), (REQUESTS_A_TURN, False))
        self.clock.turn()
        self.assertEqual((len(self.door.asked), self.source.reading), (2 * REQUESTS_A_TURN + 1, True))

    def test_others_have_their_turn(self) -> None:
        """A peer that sends little is not kept waiting by one that has sent much."""
        self.clock.look_seconds = TURN_SECONDS
        self.send(*["x"] * 20 * REQUESTS_A_TURN)
        source, door = Requests(), Listener()
        source.waiting += ["a"] * 2 * REQUESTS_A_TURN
        self.open(source, door).work()
        self.clock.turn()
        self.clock.turn()
        self.assertEqual((len(door.asked), self.source.reading), (2 * REQUESTS_A_TURN, False))

    def test_gone_between_turns(self) -> None:
        """A peer that goes while it waits for its turn has nothing more done."""
        self.clock.look_seconds = TURN_SECONDS
        self.send(*["x"] * 20 * REQUESTS_A_TURN)
        asked = len(self.door.asked)
        self.channel.lost()
        self.clock.advance(1)
        self.assertEqual((len(self.door.asked), self.clock.getDelayedCalls()), (asked, []))

    def test_at_once(self) -> None:
        """A request can be taken before it was put among the others, if nothing holds it."""
        self.assertTrue(self.channel.take_now("a"))
        self.door.slow = True
        self.assertTrue(self.channel.take_now("b"))
        self.assertFalse(self.channel.take_now("c"))
        self.assertEqual(self.door.asked, ["a", "b"])

    def test_not_at_once(self) -> None:
        """What holds the others holds it too."""
        self.source.full = True
        self.assertFalse(self.channel.take_now("a"))
        self.source.full = False
        self.channel.finish()
        self.assertFalse(self.channel.take_now("a"))
        self.assertEqual(self.door.asked, [])


class HoldTests(ChannelTestCase):
    def test_answer(self) -> None:
        """The next request waits until the last one has been answered."""
        self.door.slow = True
        self.send("a", "b")
        self.assertEqual((self.door.asked, self.source.reading), (["a"], False))
        self.door.answers.pop().callback(None)
        self.assertEqual((self.door.asked, self.door.done), (["a", "b"], ["a"]))
        self.door.answers.pop().callback(None)
        self.assertTrue(self.source.reading)

    def test_peer(self) -> None:
        """A peer that does not take its answers is not listened to until it does, and then shown the rest first."""
        self.source.full = True
        self.send("a")
        self.assertEqual((self.door.asked, self.source.reading), ([], False))
        self.source.full = False
        self.channel.drained()
        self.assertEqual((self.door.asked, self.door.told, self.source.reading), (["a"], ["drained"], True))

    def test_writer(self) -> None:
        """When too many lines wait to be stored nobody is listened to until half of them are."""
        queue = Queue("lobby")
        for _ in range(MAX_WAITING_LINES):
            self.writer.submit(queue, draft("lobby", Kind.SAY, "ann", "x"), self.nobody, None)
        self.send("a")
        self.assertEqual((self.door.asked, self.source.reading), ([], False))
        self.clock.advance(0)
        self.assertEqual((self.door.asked, self.source.reading), (["a"], True))

    def test_lost_while_the_writer_is_full(self) -> None:
        """As long as the writer is full it keeps nothing of connections that have come and gone."""
        queue = Queue("lobby")
        for _ in range(MAX_WAITING_LINES):
            self.writer.submit(queue, draft("lobby", Kind.SAY, "ann", "x"), self.nobody, None)
        self.send("a")
        source = weakref.ref(self.source)
        self.channel.lost()
        del self.channel, self.source
        self.assertIsNone(source())

    def test_two_holds(self) -> None:
        """When one thing ends to hold a request and another still does, it waits."""
        self.door.slow = True
        self.send("a", "b")
        self.source.full = True
        self.door.answers.pop().callback(None)
        self.assertEqual(self.door.asked, ["a"])
        self.source.full = False
        self.channel.drained()
        self.assertEqual(self.door.asked, ["a", "b"])


class RateTests(ChannelTestCase):
    pace = Pace(10, 3)

    def test_slowed(self) -> None:
        """Beyond the burst requests are taken at the rate, and the peer is not received from meanwhile."""
        self.send(*"abcdefgh")
        self.assertEqual((len(self.door.asked), self.source.reading), (3, False))
        self.clock.pump([MIN_WAIT_SECONDS] * 25)
        self.assertEqual(len(self.door.asked), 5)
        self.clock.advance(1)
        self.clock.pump([MIN_WAIT_SECONDS] * 30)
        self.assertEqual(("".join(map(str, self.door.asked)), self.source.reading), ("abcdefgh", True))

    def test_at_once(self) -> None:
        """A request that comes by itself takes a token too."""
        self.assertEqual([self.channel.take_now("a") for _ in range(4)], [True, True, True, False])

    def test_gone(self) -> None:
        """A peer that goes while it is slowed leaves no timer, and what it sent is not done."""
        self.send(*"abcdefgh")
        self.channel.lost()
        self.clock.advance(10)
        self.assertEqual((len(self.door.asked), self.door.told, self.clock.getDelayedCalls()), (3, ["lost"], []))


class EndTests(ChannelTestCase):
    def test_end_of_input(self) -> None:
        """All that came before the end is done and answered; then it closes, without a word."""
        self.door.slow = True
        self.source.waiting += ["a", "b"]
        self.channel.input_ended()
        self.assertFalse(self.channel.is_open or self.channel.is_closing)
        for _ in range(2):
            self.assertEqual(self.source.shut_down, 0)
            self.door.answers.pop().callback(None)
        self.assertEqual(self.door.done, ["a", "b"])
        self.expect_closed("lost")

    def test_finish(self) -> None:
        """With `finish` what was not taken is not done, and the farewell comes last."""
        self.door.slow = True
        self.send("a", "b")
        self.channel.finish(GOODBYE)
        self.assertEqual((self.source.shut_down, self.source.reading), (0, False))
        self.door.answers.pop().callback(None)
        self.assertEqual(self.door.asked, ["a"])
        self.expect_closed("Goodbye.", "lost")

    def test_owed(self) -> None:
        """It does not close before accepted lines are answered, everything is shown, and the peer has taken it."""
        self.door.unanswered = 1
        self.source.full = True
        self.door.has_seen_all = False
        self.channel.finish(GOODBYE)
        self.door.unanswered = 0
        self.channel.check_finished()
        self.assertEqual(self.door.told, [])
        self.source.full = False
        self.channel.check_finished()
        self.assertEqual((self.door.told, self.source.shut_down), (["drained"], 0))
        self.channel.check_finished_soon()
        self.clock.advance(0)
        self.expect_closed("drained", "Goodbye.", "lost")

    def test_close(self) -> None:
        """With `close` it closes at once, once, and the answer that is under way is cancelled."""
        self.door.slow = True
        self.send("a", "b")
        self.channel.close(GOODBYE)
        self.channel.close(GOODBYE)
        self.channel.finish(GOODBYE)
        self.clock.advance(0)
        self.assertEqual((self.door.asked, self.door.done), (["a"], ["a cancelled"]))
        self.expect_closed("Goodbye.", "lost")
        self.channel.lost()
        self.assertEqual(self.door.told, ["Goodbye.", "lost"])

    def test_lost(self) -> None:
        """When the connection is gone the answer that is under way is cancelled, and the rest is not done."""
        self.door.slow = True
        self.send("a", "b")
        self.channel.lost()
        self.assertEqual((self.door.asked, self.door.done, self.door.told), (["a"], ["a cancelled"], ["lost"]))
        self.assertEqual((self.source.shut_down, self.clock.getDelayedCalls()), (0, []))

    def test_answer_that_closes(self) -> None:
        """An answer may itself close the connection, and is not cut off in its middle."""
        door = self.door

        async def answer() -> None:
            self.channel.close(GOODBYE)
            door.done.append("after closing")

        door.request = lambda request: answer()  # type: ignore[method-assign]
        self.send("a")
        self.assertEqual(door.done, ["after closing"])
        self.expect_closed("Goodbye.", "lost")


class FaultTests(ChannelTestCase):
    def test_at_once(self) -> None:
        """A request that fails in an unforeseen way is logged, and ends this connection with a word about it."""
        self.send("fault", "b")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.door.asked, ["fault"])
        self.expect_closed(FAULT.text, "lost")

    def test_later(self) -> None:
        """So does an answer that fails later."""
        self.door.slow = True
        self.send("a", "b")
        self.door.answers.pop().errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.door.asked, ["a"])
        self.expect_closed(FAULT.text, "lost")
