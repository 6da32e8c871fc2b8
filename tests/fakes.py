"""A chat server in memory: the real hub and protocols, over sockets, a store and a clock that a test moves.

Nothing happens by itself: `World.run` does what a reactor would do now, `World.pass_seconds` lets time
pass. The transports are Twisted's own; only the socket below them is made up.
"""

from __future__ import annotations

import errno
import json
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar, cast

from twisted.internet import tcp
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogLevel, eventAsText, globalLogPublisher
from twisted.python.failure import Failure
from typing_extensions import override
from zope.interface import implementer

from twistedchat.hub import Hub
from twistedchat.protocols.factory import ChatFactory, Settings
from twistedchat.protocols.jsonl import JsonDialect
from twistedchat.protocols.plain import PlainDialect
from twistedchat.stores.base import RoomSummary, Store, StoreError
from twistedchat.stores.memory import MemoryStore

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Sequence

    from twisted.internet.interfaces import IProtocol
    from twisted.logger import LogEvent

    from twistedchat.events import Draft, Event

__all__ = ["FIRST_SECOND", "HeldStore", "JsonPeer", "Peer", "PlainPeer", "Reactor", "Socket", "World", "now"]

FIRST_SECOND = 1_795_336_200.0
"""When a world begins: 22 November 2026, 08:30 UTC."""

TURNS = 10_000
"""A reactor that is still busy after so many turns will never rest."""

_T = TypeVar("_T")


def now(coroutine: Coroutine[Deferred[Any], Any, _T]) -> _T:
    """What a coroutine returns that has nothing to wait for."""
    outcome: list[_T | Failure] = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    assert outcome, "it waits for something"
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


class Reactor(MemoryReactorClock):
    """Twisted's reactor for tests, on which every look at the clock can take time.

    Attributes:
        look_seconds: How much later it is after each look; what is bounded in time is then cut in pieces.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = FIRST_SECOND
        self.look_seconds = 0.0

    @override
    def seconds(self) -> float:
        self.rightNow += self.look_seconds
        return super().seconds()

    def turn(self) -> bool:
        """Make the calls that are due, but not those that become due by them; say whether there was one."""
        calls = self.calls
        due = [call for call in calls if call.getTime() <= self.rightNow]
        for call in due:
            if call.active():
                calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
        return bool(due)


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
        self._store = MemoryStore(clock)
        self._appending: deque[Deferred[None]] = deque()
        self._reading: deque[Deferred[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many appends and reads wait."""
        return len(self._appending) + len(self._reading)

    def fill(self, drafts: Sequence[Draft]) -> None:
        """Put something into the log at once, as if from an earlier run."""
        self._landed(now(self._store.append(drafts)))

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
    async def append(self, batch: Sequence[Draft]) -> Sequence[Event]:
        assert not self._appending, "one append at a time"
        await self._turn(self._appending, held=self.holding)
        events = await self._store.append(batch)
        self._landed(events)
        return events

    @override
    async def read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Sequence[Event]:
        await self._turn(self._reading, held=self.holding_reads)
        return await self._store.read(room, after=after, before=before, limit=limit)

    @override
    async def rooms(self) -> Sequence[RoomSummary]:
        return await self._store.rooms()

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

    def _landed(self, events: Sequence[Event]) -> None:
        for event in events:
            log = self.log.setdefault(event.room, [])
            if event.seq > len(log):
                log.append(event)


class Socket:
    """The server's end of a TCP connection that is not there, with its kernel's buffers.

    Args:
        buffer_bytes: So much does the kernel take from the server before the peer takes it.

    Attributes:
        inbox: What the peer sent and the server has not read.
        outbox: What the server sent and the peer has not read.
        ended: The peer sends no more.
        gone: The peer has closed; the next byte sent to it breaks the connection.
        broken: The connection is reset.
        closed: The server has closed it.
    """

    def __init__(self, buffer_bytes: int) -> None:
        self.buffer_bytes = buffer_bytes
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.ended = self.gone = self.broken = self.closed = False

    @property
    def readable(self) -> bool:
        """Whether a reactor would call ``doRead``."""
        return bool(self.inbox) or self.ended or self.broken

    @property
    def writable(self) -> bool:
        """Whether a reactor would call ``doWrite``."""
        return self.broken or self.gone or len(self.outbox) < self.buffer_bytes

    def recv(self, most: int) -> bytes:
        """As a socket's."""
        if self.broken:
            raise OSError(errno.ECONNRESET, "reset")
        if not self.inbox and not self.ended:
            raise OSError(errno.EWOULDBLOCK, "nothing is there")
        data = bytes(self.inbox[:most])
        del self.inbox[:most]
        return data

    def send(self, data: memoryview) -> int:
        """As a socket's."""
        if self.broken:
            raise OSError(errno.EPIPE, "broken")
        if self.gone:
            self.broken = True
            return len(data)
        space = self.buffer_bytes - len(self.outbox)
        if space <= 0:
            raise OSError(errno.EWOULDBLOCK, "full")
        self.outbox += data[:space]
        return min(space, len(data))

    def fileno(self) -> int:
        """There is no file."""
        return -1

    def close(self) -> None:
        """As a socket's."""
        self.closed = True

    def shutdown(self, how: int) -> None:
        """As a socket's; only done just before `close`."""

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    def setsockopt(self, *option: object) -> None:
        """There is nothing to tune."""


class Transport(tcp.Connection):
    """Twisted's connection, over a `Socket`, or a real one."""

    def __init__(self, sock: Socket | socket.socket, protocol: IProtocol, reactor: Reactor) -> None:
        super().__init__(cast("socket.socket", sock), protocol, reactor)
        self.connected = 1
        self.startReading()

    @override
    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 50_000)

    @override
    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 6622)

    @property
    def held_bytes(self) -> int:
        """How much the server keeps for the peer, beside what the kernel does."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen


@implementer(ILogObserver)
class Faults(list[str]):
    """What was logged as an error; that a store has failed is no fault of the server's."""

    def __call__(self, event: LogEvent) -> None:
        """Look at what is logged."""
        if event.get("log_level", LogLevel.info) >= LogLevel.error and not isinstance(event.get("error"), StoreError):
            self.append(eventAsText(event))


class World:
    """A server, and its peers.

    Args:
        store: Where the logs are kept; a `HeldStore` unless given.
        settings: What the operator has chosen; the defaults, but no rate, unless given.
        history: How many events somebody who enters is shown.

    Attributes:
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
    ) -> None:
        self.reactor = reactor or Reactor()
        self.store = store or HeldStore(self.reactor.seconds)
        self.hub = Hub(self.store, self.reactor, history=history)
        self.factory = ChatFactory(self.hub, settings or Settings(rate=0), PlainDialect, JsonDialect)
        self.faults = Faults()
        self.hurry = False
        self._peers: dict[Peer, None] = {}
        globalLogPublisher.addObserver(self.faults)
        now(self.hub.open())

    @property
    def held(self) -> HeldStore:
        """The store that waits."""
        assert isinstance(self.store, HeldStore)
        return self.store

    def close(self) -> None:
        """Stop listening to the log."""
        globalLogPublisher.removeObserver(self.faults)

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


class Peer:
    """The far end of a connection to a world.

    Args:
        world: The server's.
        buffer_bytes: What the kernel takes for a peer that does not read.

    Attributes:
        reading: Whether it takes what it is sent, as soon as it is sent.
        received: Every byte taken so far.
        over: The connection has ended on the server's side.
    """

    def __init__(self, world: World, *, buffer_bytes: int = 4096) -> None:
        self.world = world
        self.reading = True
        self.received = bytearray()
        self.socket = Socket(buffer_bytes)
        protocol = world.factory.buildProtocol(None)
        self.transport = Transport(self.socket, cast("IProtocol", protocol), world.reactor)
        world.add(self)
        protocol.makeConnection(self.transport)
        world.run()

    # -- what the peer does ----------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send bytes, and let the server do what it will."""
        self.socket.inbox += data
        self.world.run()

    def take(self, most_bytes: int) -> None:
        """Take some of what was sent, once."""
        self._take(most_bytes)
        self.world.run()

    def stop_reading(self) -> None:
        """Take nothing from now on."""
        self.reading = False

    def read_again(self) -> None:
        """Take everything from now on."""
        self.reading = True
        self._take(len(self.socket.outbox))
        self.world.run()

    def end(self) -> None:
        """Close the half on which it sends; it still reads."""
        self.socket.ended = True
        self.world.run()

    def close(self) -> None:
        """Close both halves; what was not taken is lost."""
        self.reading = False
        self.socket.ended = self.socket.gone = True
        self.world.run()

    def reset(self) -> None:
        """Break the connection."""
        self.reading = False
        self.socket.broken = True
        self.world.run()

    @property
    def over(self) -> bool:
        """Whether the server's end is closed."""
        return self.socket.closed

    @property
    def has_more(self) -> bool:
        """Whether it is going to take more."""
        return self.reading and bool(self.socket.outbox)

    @property
    def lines(self) -> list[str]:
        """What was received, line by line."""
        return self.received.decode().splitlines()

    # -- what a reactor does ---------------------------------------------------------------------

    def turn(self) -> bool:
        """Do what an event loop would do with this connection; say whether there was anything to do."""
        busy = self.reading and self._take(len(self.socket.outbox))
        if not self.over and self.socket.readable and self.transport in self.world.reactor.readers:
            self._ended(self.transport.doRead(), reading=True)
            busy = True
        elif not self.over and self.socket.broken:
            # Told by poll even to those who do not read.
            self._ended(CONNECTION_LOST, reading=False)
            busy = True
        if not self.over and self.socket.writable and self.transport in self.world.reactor.writers:
            self._ended(self.transport.doWrite(), reading=False)
            busy = True
        return busy

    def _ended(self, why: Exception | None, *, reading: bool) -> None:
        if why is None:
            return
        self.world.reactor.removeReader(self.transport)
        if reading and why is not CONNECTION_LOST:
            self.transport.readConnectionLost(Failure(why))
        else:
            self.world.reactor.removeWriter(self.transport)
            self.transport.connectionLost(Failure(why))

    def _take(self, most_bytes: int) -> bool:
        data = self.socket.outbox[:most_bytes]
        del self.socket.outbox[:most_bytes]
        self.received += data
        return bool(data)


class PlainPeer(Peer):
    """Somebody at telnet or nc."""

    def say(self, *lines: str) -> None:
        """Type lines."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())


class JsonPeer(Peer):
    """A program.

    Attributes:
        last_id: The id of the last request.
    """

    def __init__(self, world: World, *, buffer_bytes: int = 4096) -> None:
        super().__init__(world, buffer_bytes=buffer_bytes)
        self.last_id = 0
        self._read_bytes = 0
        self._messages: list[dict[str, Any]] = []

    def ask(self, op: str, **fields: object) -> int:
        """Send one request; its answer has the id that is returned."""
        self.prepare(op, **fields)
        self.world.run()
        return self.last_id

    def prepare(self, op: str, **fields: object) -> None:
        """Send a request, and another one may come along in the same piece."""
        self.last_id += 1
        self.socket.inbox += json.dumps({"op": op, "id": self.last_id, **fields}).encode() + b"\n"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was received as objects; what stands before the first of them is for people."""
        end = self.received.rfind(b"\n") + 1
        for line in self.received[self._read_bytes : end].splitlines():
            if line[:1] == b"{" or self._messages:
                self._messages.append(json.loads(line))
        self._read_bytes = end
        return self._messages

    def answer(self, id_: int) -> dict[str, Any]:
        """The one answer to a request."""
        [answer] = [message for message in self.messages if message.get("re") == id_]
        return answer

    def events(self, room: str) -> list[dict[str, Any]]:
        """What was shown of a room."""
        return [message for message in self.messages if message["type"] == "event" and message["room"] == room]
