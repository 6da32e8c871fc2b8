"""A store that another node appends to as well, and a server on it whose turns a test takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.ear import Ear
from tests.fakes import HeldStore, Reactor, now
from twistedchat.events import Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.hub import Hub
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Draft, Event
    from twistedchat.stores.base import Outcome

__all__ = ["NodeStore", "NodeTestCase"]


class NodeStore(HeldStore):
    """A store of two nodes.

    Attributes:
        heard: Tells this node up to where the log of a room goes.
        late: Whether an append that is done is answered only at `answer`.
        lost_from: From this seq on the log has lost what stood in it.
        appends: How many there were.
    """

    def __init__(self, reactor: Reactor) -> None:
        super().__init__(reactor.seconds)
        self._seconds = reactor.seconds
        self.heard: Callable[[str, int], None]
        self.late = False
        self.lost_from = 10**9
        self.appends = 0
        self._answers: list[Deferred[None]] = []

    def far(self, *texts: str, room: str = "lobby", key: str | None = None) -> None:
        """Another node appends; this one has not heard of it yet."""
        self.fill([draft(room, Kind.SAY, "far", text, key) for text in texts])

    def head(self, room: str = "lobby") -> int:
        return len(self.log.get(room, ()))

    def answer(self) -> None:
        """Answer what was appended."""
        answers, self._answers = self._answers, []
        for one in answers:
            one.callback(None)

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        self.heard = heard

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        self.appends += 1
        outcomes = await super().append(batch)
        if self.late:
            answer: Deferred[None] = Deferred()
            self._answers.append(answer)
            await answer
        return outcomes

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
        page = await super().read(room, after=after, before=before, limit=limit, max_bytes=max_bytes)
        return [event for event in page if event.seq < self.lost_from]


class NodeTestCase(SynchronousTestCase):
    """Ann is in #lobby, at this node."""

    @override
    def setUp(self) -> None:
        self.start()

    def start(self) -> None:
        """A new server, on a new store."""
        self.clock = Reactor()
        self.store = NodeStore(self.clock)
        self.hub = Hub(self.store, self.clock, wall=self.clock.seconds)
        now(self.hub.open())
        self.ear = Ear()
        self.ann = self.enter("ann", self.ear)

    def enter(self, name: str, ear: Ear | None = None, room: str = "lobby", *, after: int | None = None) -> Session:
        session = Session(self.hub, ear or Ear())
        now(session.enter(name))
        self.join(session, room, after)
        return session

    def join(self, session: Session, room: str = "lobby", after: int | None = None) -> None:
        now(session.join(room, JsonFormat(), after=after))
        session.show_all()

    def say(self, *texts: str, who: Session | None = None, room: str = "lobby", key: str | None = None) -> None:
        for text in texts:
            (who or self.ann).say(room, text, self.ear, text, key=key)

    def turn(self) -> None:
        self.clock.advance(0)

    @property
    def said(self) -> list[str]:
        """What ann was told and shown, without presence."""
        return [line for line in self.ear.heard if not line.startswith("presence")]
