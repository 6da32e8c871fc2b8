"""Connections that are lost while a verb waits for an answer: nothing of them stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.ear import Ear
from tests.fakes import HeldStore, Reactor, now
from twistedchat.comeback import resume
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.hub import Hub
from twistedchat.people.base import LINGER_SECONDS
from twistedchat.people.local import LocalPeople
from twistedchat.session import Session
from twistedchat.stores.base import ROOMS_PER_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from twistedchat.events import Event
    from twistedchat.people.base import Arrival, Hearer, Person
    from twistedchat.stores.base import RoomSummary

FORMAT = JsonFormat()


class Answers:
    """Answers that are on their way until a test lets them arrive.

    Attributes:
        slow: Whether they take their time.
    """

    def __init__(self) -> None:
        self.slow = False
        self._waiting: list[Deferred[None]] = []

    async def on_the_way(self) -> None:
        if self.slow:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting

    def arrive(self) -> None:
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            if not answer.called:
                answer.callback(None)


class FarPeople(LocalPeople):
    """A register on another node: what it is asked is done there at once, and its answer takes time.

    Attributes:
        tokens: All that it has given out.
    """

    def __init__(self, clock: Reactor, answers: Answers) -> None:
        super().__init__(clock)
        self.tokens: list[str] = []
        self._answers = answers

    @override
    async def claim(self, name: str, person: Person, *, resumable: bool = False) -> str:
        token = await super().claim(name, person, resumable=resumable)
        self.tokens += [token] if token else []
        await self._answers.on_the_way()
        return token

    @override
    async def rename(self, person: Person, name: str) -> None:
        await super().rename(person, name)
        await self._answers.on_the_way()

    @override
    async def find(self, name: str) -> Hearer | None:
        found = await super().find(name)
        await self._answers.on_the_way()
        return found

    @override
    async def resume(self, token: str) -> Person | Arrival | None:
        person = await super().resume(token)
        await self._answers.on_the_way()
        return person


class FarStore(HeldStore):
    """A store whose answers take time."""

    def __init__(self, clock: Reactor, answers: Answers) -> None:
        super().__init__(clock.seconds)
        self._answers = answers

    @override
    async def read(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int | None = None,
    ) -> Sequence[Event]:
        events = await super().read(room, after=after, before=before, limit=limit, max_bytes=max_bytes)
        await self._answers.on_the_way()
        return events

    @override
    async def room(self, name: str) -> RoomSummary:
        summary = await super().room(name)
        await self._answers.on_the_way()
        return summary

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        rooms = await super().rooms(after, limit)
        await self._answers.on_the_way()
        return rooms


class LostTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.start()

    def start(self) -> None:
        """A new server; zoe is in #old all the time, in which something was said."""
        self.clock = Reactor()
        self.answers = Answers()
        self.people = FarPeople(self.clock, self.answers)
        store = FarStore(self.clock, self.answers)
        store.fill([draft(room, Kind.SAY, "zoe", "hi") for room in ("old", "older")])
        self.hub = Hub(store, self.clock, wall=self.clock.seconds, people=self.people)
        now(self.hub.open())
        self.zoe = self.enter("zoe", resumable=False)
        now(self.zoe.join("old", FORMAT))

    def enter(self, name: str, *, resumable: bool) -> Session:
        session = Session(self.hub, Ear())
        now(session.enter(name, resumable=resumable))
        return session

    def expect_nothing_left(self) -> None:
        """After a while nothing is here but zoe, as at the start."""
        self.clock.pump([LINGER_SECONDS, 2])
        self.answers.slow = False
        self.assertEqual([now(self.people.find(name)) for name in ("ann", "amy", "zoe")], [None, None, self.zoe])
        self.assertEqual(
            [now(self.people.resume(token)) for token in self.people.tokens], [None] * len(self.people.tokens)
        )
        self.assertEqual([(room.name, list(room.presence.names)) for room in self.hub.rooms], [("old", ["zoe"])])
        self.assertEqual([room.entering for room in self.hub.rooms], [0])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def outcome(self, answer: Deferred[Any]) -> None:
        """A verb of a lost connection ends with nothing, or with an error that reaches nobody."""
        outcomes: list[object] = []
        answer.addBoth(outcomes.append)
        self.assertEqual(len(outcomes), 1, "it still waits")
        value = getattr(outcomes[0], "value", None)
        if isinstance(value, BaseException) and not isinstance(value, ChatError | CancelledError):
            raise value


VERBS: dict[str, Callable[[Session], Coroutine[Any, Any, object]]] = {
    "rename": lambda session: session.rename("amy"),
    "join a room that is there": lambda session: session.join("old", FORMAT, after=0),
    "join a room of the store": lambda session: session.join("older", FORMAT),
    "join a new room": lambda session: session.join("new", FORMAT),
    "who": lambda session: session.who("older"),
    "history": lambda session: session.history("old", limit=1),
    "history of the store": lambda session: session.history("older", limit=1),
    "rooms": lambda session: session.list_rooms(max_chars=1),
    "busiest rooms": lambda session: session.busiest_rooms(limit=1),
    "seq at": lambda session: session.seq_at("old", 10**15),
    "tell": lambda session: session.tell("zoe", "psst"),
}
"""Each verb that may wait, of somebody who is in #old."""


class VerbsTests(LostTestCase):
    def begin(self, verb: str, *, resumable: bool) -> tuple[Session, Deferred[object]]:
        """Somebody is in #old and asks for something, of which the answer is on its way."""
        self.start()
        ann = self.enter("ann", resumable=resumable)
        now(ann.join("old", FORMAT))
        self.answers.slow = True
        return ann, Deferred.fromCoroutine(VERBS[verb](ann))

    def test_lost(self) -> None:
        """Whatever it waited for: when the answer has come nobody is here, and no name, room or timer is left."""
        for verb in VERBS:
            for resumable in (False, True):
                ann, answer = self.begin(verb, resumable=resumable)
                ann.lose()
                for _ in range(5):
                    self.answers.arrive()
                self.outcome(answer)
                self.expect_nothing_left()

    def test_gone_before_the_answer(self) -> None:
        """So it is when the answer comes long after the session has ended."""
        for verb in VERBS:
            ann, answer = self.begin(verb, resumable=True)
            ann.lose()
            self.clock.advance(LINGER_SECONDS + 1)
            for _ in range(5):
                self.answers.arrive()
            self.outcome(answer)
            self.expect_nothing_left()

    def test_cancelled(self) -> None:
        """So it is when the door cancels what it waited for; the answer then reaches nobody."""
        for verb in VERBS:
            if verb != "rename":
                ann, answer = self.begin(verb, resumable=True)
                answer.cancel()
                ann.lose()
                self.answers.arrive()
                self.outcome(answer)
                self.expect_nothing_left()

    def test_renamed_while_lost(self) -> None:
        """A session that was lost while it took another name has that name, wherever it is looked for."""
        ann, answer = self.begin("rename", resumable=True)
        ann.lose()
        self.answers.arrive()
        self.outcome(answer)
        self.answers.slow = False
        self.assertEqual([now(self.people.find(name)) for name in ("ann", "amy")], [None, ann])
        self.assertEqual((ann.name, list(self.zoe.roster("old").names)), ("amy", ["amy", "zoe"]))
        self.assertIsNotNone(now(resume(self.hub, ann.token, Ear(), JsonFormat())))

    def test_nothing_said_of_it(self) -> None:
        """Nothing is told to others on behalf of somebody who was gone before the answer."""
        ear = Ear()
        bob = Session(self.hub, ear)
        now(bob.enter("bob"))
        ann = self.enter("ann", resumable=False)
        self.answers.slow = True
        answer = Deferred.fromCoroutine(ann.tell("bob", "psst"))
        ann.lose()
        self.answers.arrive()
        self.outcome(answer)
        self.assertEqual(ear.heard, [])


class EnterTests(LostTestCase):
    def test_lost(self) -> None:
        """Who is lost while it is given its name and token is not here."""
        self.answers.slow = True
        ann = Session(self.hub, Ear())
        answer = Deferred.fromCoroutine(ann.enter("ann", resumable=True))
        self.assertFalse(answer.called)
        ann.lose()
        self.answers.arrive()
        self.outcome(answer)
        self.assertEqual(ann.name, "")
        self.expect_nothing_left()


class ResumeTests(LostTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.enter("ann", resumable=True)
        now(self.ann.join("old", FORMAT))
        self.ann.lose()
        self.answers.slow = True

    def test_cancelled(self) -> None:
        """A session that is being taken up by a connection that is lost meanwhile stays lost, and ends in its time."""
        answer = Deferred.fromCoroutine(resume(self.hub, self.ann.token, Ear(), JsonFormat()))
        answer.cancel()
        self.answers.arrive()
        self.outcome(answer)
        self.expect_nothing_left()

    def test_entering_meanwhile(self) -> None:
        """What a connection still waits to enter is not entered for the one that takes its session up."""
        self.answers.slow = False
        now(resume(self.hub, self.ann.token, Ear(), JsonFormat()))
        self.answers.slow = True
        entering = Deferred.fromCoroutine(self.ann.join("older", FORMAT, after=0))
        ear = Ear()
        self.ann.take_up(ear)
        self.answers.arrive()
        self.outcome(entering)
        self.ann.show_all()
        self.assertEqual((list(self.ann.rooms), ear.heard), (["old"], []))
        self.assertEqual([room.name for room in self.hub.rooms], ["old"])

    def test_ended_meanwhile(self) -> None:
        """A session that has ended before the answer came can't be taken up."""
        answer = Deferred.fromCoroutine(resume(self.hub, self.ann.token, Ear(), JsonFormat()))
        self.ann.close()
        self.answers.arrive()
        self.assertIsNone(self.successResultOf(answer))
        self.expect_nothing_left()
