"""A chat server in memory: the real hub and protocols, over a store and a clock that a test moves.

The only file of the fakes that knows the server's classes. Nothing happens by itself: `World.run` does what a
reactor would do now, `World.pass_seconds` lets time pass.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogLevel, eventAsText, globalLogPublisher
from twisted.protocols.tls import TLSMemoryBIOFactory
from typing_extensions import override
from zope.interface import implementer

from tests.certificate import server_options
from tests.reactor import Reactor, now
from twistedchat.doors.channel import Pace
from twistedchat.doors.port import ChatFactory, Settings
from twistedchat.events import Draft
from twistedchat.hub import Hub
from twistedchat.rooms.tail import BUDGET_BYTES, Budget
from twistedchat.service import GOODBYE_SECONDS, ChatService
from twistedchat.stores.base import ROOMS_PER_PAGE, Store, Stored, StoreError
from twistedchat.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IProtocol
    from twisted.logger import LogEvent

    from tests.peers import Peer
    from twistedchat.events import Event
    from twistedchat.stores.base import Outcome, RoomSummary

__all__ = ["HeldStore", "Settings", "World"]

TURNS = 10_000
"""A reactor that is still busy after so many turns will never rest."""


class HeldStore(Store):
    """A store in memory whose appends and reads wait, and fail, when the test says so.

    Attributes:
        log: What stands in the log of each room: all that may ever be shown.
        holding: Whether appends wait for `release`.
        holding_reads: Whether reads do.
        fault: What is wrong with the disk; an append or a read fails with it when it is its turn.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.log: dict[str, list[Event]] = {}
        self.holding = False
        self.holding_reads = False
        self.fault: StoreError | None = None
        self._clock = clock
        self._store = MemoryStore(clock)
        self.identity = self._store.identity
        self._appending: deque[Deferred[None]] = deque()
        self._reading: deque[Deferred[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many appends and reads wait."""
        return len(self._appending) + len(self._reading)

    def fill(self, drafts: Sequence[Draft]) -> None:
        """Put something into the log at once, as if from an earlier run."""
        self._landed(now(self._store.append(drafts)))

    def go_back(self, seq: int, room: str = "lobby") -> None:
        """Another database takes this one's place; of a room's log it has no more than this."""
        kept = self.log.pop(room)[:seq]
        self._store = MemoryStore(self._clock)
        self.fill([Draft("", room, event.kind, event.who, event.text, None, event.tags) for event in kept])

    def release(self) -> None:
        """Let what waits go on."""
        for queue in (self._appending, self._reading):
            waiting = list(queue)
            queue.clear()
            for deferred in waiting:
                deferred.callback(None)

    @override
    async def open(self) -> None:
        await self._store.open()

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        assert not self._appending, "one append at a time"
        await self._turn(self._appending, held=self.holding)
        outcomes = await self._store.append(batch)
        self._landed(outcomes)
        return outcomes

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        return await self._store.outcomes(batch)

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
        await self._turn(self._reading, held=self.holding_reads)
        return await self._store.read(room, after=after, before=before, limit=limit, max_bytes=max_bytes)

    @override
    async def room(self, name: str) -> RoomSummary:
        return await self._store.room(name)

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        return await self._store.rooms(after, limit)

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        await self._store.shut(room, is_shut=is_shut)

    @override
    async def put_away(self, room: str) -> None:
        await self._store.put_away(room)

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        pass

    @override
    async def close(self) -> None:
        await self._store.close()

    async def _turn(self, queue: deque[Deferred[None]], *, held: bool) -> None:
        if held:
            turn: Deferred[None] = Deferred()
            queue.append(turn)
            await turn
        if self.fault is not None:
            raise self.fault

    def _landed(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Stored) and outcome.fresh:
                self.log.setdefault(outcome.event.room, []).append(outcome.event)


@implementer(ILogObserver)
class Faults:
    """What was logged as an error; that a store has failed is no fault of the server's.

    Not a list itself: Twisted adds no observer that is equal to another one, as two empty lists are.

    Attributes:
        seen: They.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        """Look at what is logged."""
        if event.get("log_level", LogLevel.info) >= LogLevel.error and not isinstance(event.get("error"), StoreError):
            self.seen.append(eventAsText(event))


class World:
    """A server, and its peers.

    Args:
        store: Where the logs are kept; a `HeldStore` unless given.
        settings: What the operator has chosen; the defaults, but no rate, unless given.
        history: How many events somebody who enters is shown.
        budget_bytes: How much memory the newest events and pages of all rooms may take.

    Attributes:
        wall_offset: By how many seconds the time of day differs from the clock's.
        reactor: Its clock only goes on in `pass_seconds`.
        store: The store.
        hub: The server's state.
        factory: Makes the server's protocols.
        faults: What the server logged as errors.
        hurry: Whether `run` leaves work undone.
    """

    def __init__(
        self,
        *,
        reactor: Reactor | None = None,
        store: Store | None = None,
        settings: Settings | None = None,
        history: int = 20,
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self.reactor = reactor or Reactor()
        self.wall_offset = 0.0
        self.store = store or HeldStore(self.wall)
        self.hub = Hub(self.store, self.reactor, wall=self.wall, history=history, budget=Budget(budget_bytes))
        self.factory = ChatFactory(self.hub, self.reactor, settings or Settings(pace=Pace(0, 1)))
        self._observer = Faults()
        self.faults = self._observer.seen
        self.hurry = False
        self._peers: dict[Peer, None] = {}
        globalLogPublisher.addObserver(self._observer)
        now(self.hub.open())

    def wall(self) -> float:
        """The time of day."""
        return self.reactor.seconds() + self.wall_offset

    @property
    def held(self) -> HeldStore:
        """The store that waits."""
        assert isinstance(self.store, HeldStore)
        return self.store

    def close(self) -> None:
        """Stop listening to the log."""
        globalLogPublisher.removeObserver(self._observer)

    def stop(self) -> None:
        """Stop the server, as a signal does; nobody is let in any more."""
        stopped = ChatService(cast("Any", self.reactor), self.factory).stopService()
        self.pass_seconds(2 * GOODBYE_SECONDS)
        assert stopped.called, "it does not stop"

    def protocol(self, *, tls: bool = False) -> IProtocol:
        """The server's protocol for a new connection."""
        factory = TLSMemoryBIOFactory(server_options(), False, self.factory, self.reactor) if tls else self.factory
        return cast("IProtocol", factory.buildProtocol(None))

    def add(self, peer: Peer) -> None:
        """A peer has connected."""
        self._peers[peer] = None

    def run(self) -> None:
        """Do what there is to do now, until everything waits for the peers, the store or the time.

        In a `hurry` only one turn of the reactor: the peers do not wait until the server has done its work.
        """
        for _ in range(1 if self.hurry else TURNS):
            called = self.reactor.turn()
            # Every peer has its turn.
            busy = [peer.turn() for peer in list(self._peers)]
            self._peers = {peer: None for peer in self._peers if not peer.over or peer.has_more}
            if not called and not any(busy):
                return
        assert self.hurry, "the server never rests"

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass, from one thing that is due to the next; there is no hurry any more."""
        self.hurry = False
        self.run()
        until = self.reactor.rightNow + seconds
        for _ in range(TURNS):
            self.run()
            times = [call.getTime() for call in self.reactor.getDelayedCalls()]
            soonest = min(times, default=until)
            if soonest > until:
                break
            self.reactor.advance(max(0.0, soonest - self.reactor.rightNow))
            if not times:
                break
        else:
            raise AssertionError("the server never rests")
        self.reactor.advance(max(0.0, until - self.reactor.rightNow))
        self.run()
