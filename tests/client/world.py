"""A client joined to the real server, in memory: nothing travels before the test runs the world.

The one place in which the client's tests touch the server. They use `tests.fakes.World`, a `Peer`'s
socket, and `JsonPeer` for other people; no module of the server's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from typing_extensions import override
from zope.interface import implementer

from tests.ear import Ear
from tests.fakes import FIRST_SECOND, HeldStore, JsonPeer, Peer, World, now
from twistedchat.client.address import Server
from twistedchat.client.connection import Connection
from twistedchat.client.conversation import Conversation
from twistedchat.events import Event
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.records import Change
from twistedchat.session import Session
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IProtocol, IProtocolFactory

    from tests.fakes import Reactor
    from twistedchat.client.notifications import Notification

__all__ = ["FIRST_SECOND", "ClientWorld", "Link", "OneClient"]


class _NearTransport(StringTransport):
    """The client's end of a link: what is written waits until the world runs."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    @override
    def loseConnection(self) -> None:
        self._link.hang_up(error.ConnectionDone())

    @override
    def abortConnection(self) -> None:
        self._link.hang_up(error.ConnectionAborted())


class Link(Peer):
    """A connection between a client's protocol and the server.

    Attributes:
        asked: Every message that the server was given.
        deaf: Whether what the client sends, and what it is sent, is held up.
        hold_lines: How many more of the client's messages go through; None for all.
    """

    def __init__(self, world: World, protocol: IProtocol, asked: list[dict[str, Any]]) -> None:
        self.asked = asked
        self.deaf = False
        self.hold_lines: int | None = None
        self._client = protocol
        self._near = _NearTransport(self)
        self._handed_bytes = 0
        self._is_up = False
        self._is_lost = False
        super().__init__(world)

    def start(self) -> None:
        """Tell the client that it is connected."""
        self._is_up = True
        self._client.makeConnection(self._near)

    # -- what the test does ----------------------------------------------------------------------

    def lose(self) -> None:
        """The connection breaks, with what was under way in both directions."""
        self.hang_up(error.ConnectionLost())

    def hang_up(self, reason: Exception) -> None:
        """The connection is over for the client; the server notices when the world runs."""
        if not self._is_lost:
            self._is_lost = True
            self.reading = False
            self.socket.broken = True
            self._client.connectionLost(Failure(reason))

    def inject(self, **message: object) -> None:
        """Send the client a message that the server has not sent."""
        self._client.dataReceived(json.dumps(message).encode() + b"\n")

    @property
    def is_lost(self) -> bool:
        """Whether the client knows that it is over."""
        return self._is_lost

    # -- what the world does ---------------------------------------------------------------------

    @override
    def turn(self) -> bool:
        """Carry what was sent, both ways."""
        if not self._is_up or self.deaf:
            return False
        moved = self._send_on()
        busy = super().turn()
        data, self._handed_bytes = bytes(self.received[self._handed_bytes :]), len(self.received)
        if data and not self._is_lost:
            self._client.dataReceived(data)
        if self.over and not self.has_more and not self._is_lost:
            self._is_lost = True
            self._client.connectionLost(Failure(error.ConnectionDone()))
        return moved or busy or bool(data)

    def _send_on(self) -> bool:
        """Give the server whole messages, as many as may go through."""
        *lines, rest = self._near.value().split(b"\n")
        if self.hold_lines is not None:
            lines, held = lines[: self.hold_lines], lines[self.hold_lines :]
            self.hold_lines -= len(lines)
            rest = b"\n".join([*held, rest])
        if lines and not self._is_lost:
            self._near.clear()
            self._near.write(rest)
            self.asked += [json.loads(line) for line in lines]
            self.socket.inbox += b"".join(line + b"\n" for line in lines)
        return bool(lines) and not self._is_lost


@implementer(IStreamClientEndpoint)
class ClientWorld:
    """The real server in memory, with bob in the lobby; also the endpoint that leads a client to it.

    Args:
        history: How many events somebody who enters is shown.

    Attributes:
        world: The server's.
        down: Whether connections are refused.
        links: The clients' connections, the newest last.
        asked: Every message that clients have sent.
    """

    def __init__(self, *, history: int = 20) -> None:
        self.world = World(history=history)
        self.down = False
        self.links: list[Link] = []
        self.asked: list[dict[str, Any]] = []
        self._history = history
        self._people: dict[str, JsonPeer] = {}
        self._places: set[tuple[str, str]] = set()
        self.person("bob")

    # -- the endpoint ----------------------------------------------------------------------------

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  Twisted's name
        """Connect a client, as an endpoint does, when the world runs."""
        if self.down:
            return fail(error.ConnectionRefusedError())
        connected: Deferred[IProtocol] = Deferred()

        def connect() -> None:
            protocol = cast("IProtocol", protocolFactory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 6622)))
            link = Link(self.world, protocol, self.asked)
            self.links.append(link)
            link.start()
            connected.callback(protocol)

        self.reactor.callLater(0, connect)
        return connected

    def open(
        self, conversation: Conversation, delay: Callable[[int], float] = lambda _: 1.0, *, run: bool = True
    ) -> tuple[Connection, Deferred[None]]:
        """Keep a conversation connected; by default until it is welcomed."""
        connection = Connection(self.reactor, [Server(self, "here")], conversation, delay)
        opening = Deferred.fromCoroutine(connection.open())
        if run:
            outcome: list[object] = []
            opening.addBoth(outcome.append)
            self.run()
            assert outcome, "neither welcomed nor refused"
            if isinstance(outcome[0], Failure):
                outcome[0].raiseException()
        return connection, opening

    # -- time and connections --------------------------------------------------------------------

    @property
    def reactor(self) -> Reactor:
        """The clock of both sides."""
        return self.world.reactor

    @property
    def link(self) -> Link:
        """The client's connection."""
        return self.links[-1]

    def run(self) -> None:
        """Let all travel that waits."""
        self.world.run()

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.world.pass_seconds(seconds)

    def lose(self) -> None:
        """The client's connection breaks, with what is under way."""
        self.link.lose()
        self.run()

    def restart(self) -> None:
        """The server ends at once and another one begins, with the same log; it knows no session."""
        for link in self.links:
            link.lose()
        people = list(self._people)
        for person in self._people.values():
            person.reset()
        self.run()
        self.world.close()
        self.world = World(reactor=self.reactor, store=self.world.store, history=self._history)
        self._people.clear()
        self._places.clear()
        for name in people:
            self.person(name)

    def forget_logs(self) -> None:
        """The server is restarted with an empty store."""
        self.restart()
        self.world.close()
        self.world = World(reactor=self.reactor, store=HeldStore(self.reactor.seconds), history=self._history)
        self._people.clear()
        self._places.clear()
        self.person("bob")

    def close(self) -> None:
        """Stop listening to the log."""
        self.world.close()

    # -- the store -------------------------------------------------------------------------------

    def break_disk(self) -> None:
        """Nothing can be stored."""
        self.world.held.fault = StoreError("The disk is full.")

    def mend_disk(self) -> None:
        """All can be stored again."""
        self.world.held.fault = None

    def fill(self, texts: list[str], *, room: str = "lobby", who: str = "bob") -> None:
        """Somebody says many lines at once."""
        person = self.person(who, room)
        for text in texts:
            person.prepare("say", room=room, text=text)
        self.run()
        assert [event.text for event in self.log(room)[-len(texts) :]] == texts

    def log(self, room: str = "lobby") -> list[Event]:
        """What stands in the log of a room."""
        return self.world.held.log.get(room, [])

    # -- other people ----------------------------------------------------------------------------

    def person(self, name: str, room: str = "lobby") -> JsonPeer:
        """Somebody else, in a room."""
        peer = self._people.get(name)
        if peer is None:
            peer = self._people[name] = JsonPeer(self.world, buffer_bytes=1 << 20)
            peer.ask("hello", name=name)
        if (name, room) not in self._places:
            self._places.add((name, room))
            peer.ask("join", room=room)
        return peer

    def guard(self, room: str, key: str) -> Session:
        """Op makes a room that has a key; the room's op is returned."""
        op = Session(self.world.hub, Ear())
        now(op.enter("op"))
        now(op.join(room, JsonFormat()))
        now(op.mode(room, [Change("+", "k", key)]))
        return op

    def leave(self, name: str) -> None:
        """Somebody leaves for good."""
        self._people.pop(name).ask("quit")
        self._places = {place for place in self._places if place[0] != name}

    def say(self, text: str, *, room: str = "lobby", who: str = "bob", op: str = "say") -> Event:
        """Somebody says something, and the world runs."""
        before = len(self.log(room))
        self.person(who, room).ask(op, room=room, text=text)
        assert len(self.log(room)) > before, "it is not stored"
        return self.log(room)[-1]

    def ops(self, *left_out: str) -> list[str]:
        """What clients asked, in order."""
        return [message["op"] for message in self.asked if message["op"] not in left_out]


class OneClient:
    """One client and the real server."""

    def __init__(self, name: str = "alice", *, numbered: bool = False, history: int = 20) -> None:
        self.notified: list[Notification] = []
        self.server = ClientWorld(history=history)
        self.conversation = Conversation(name, self.notified.append, numbered=numbered)

    def connect(self) -> OneClient:
        self.connection, _ = self.server.open(self.conversation)
        return self

    def reconnect(self) -> None:
        self.server.pass_seconds(1)

    def texts(self) -> list[str]:
        return [notification.text for notification in self.notified if isinstance(notification, Event)]

    def of(self, kind: type[Notification]) -> list[Notification]:
        return [notification for notification in self.notified if isinstance(notification, kind)]
