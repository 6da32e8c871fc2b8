"""A small chat server in memory, for the client's tests: nothing travels before the test says so."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, cast

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from typing_extensions import override
from zope.interface import implementer

from twistedchat.client.connection import Connection
from twistedchat.events import Event, Kind
from twistedchat.formats.jsonl import event_json

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocol, IProtocolFactory
    from twisted.internet.task import Clock

    from twistedchat.client.conversation import Conversation

__all__ = ["FIRST_SECOND", "FakeServer", "Peer", "connect"]

FIRST_SECOND = 1_795_336_200
"""22 November 2026, 08:30 UTC."""


class Peer(StringTransport):
    """The server's end of one connection, and the client's transport."""

    def __init__(self, server: FakeServer, protocol: IProtocol) -> None:
        super().__init__()
        self.server = server
        self.protocol = protocol
        self.over = False
        self.name = ""
        self.rooms: dict[str, int] = {}

    @override
    def loseConnection(self) -> None:
        self.lose(error.ConnectionDone())

    @override
    def abortConnection(self) -> None:
        self.lose(error.ConnectionLost())

    def lose(self, reason: Exception | None = None) -> None:
        """The connection breaks."""
        if not self.over:
            self.over = True
            self.server.peers.remove(self)
            self.protocol.connectionLost(Failure(reason or error.ConnectionLost()))

    def send(self, **message: object) -> None:
        """Send one message."""
        self.send_line(json.dumps(message))

    def send_line(self, line: str) -> None:
        """Send a line."""
        if not self.over:
            self.protocol.dataReceived(f"{line}\n".encode())


@implementer(IStreamClientEndpoint)
class FakeServer:
    """Does what the protocol says, in a few words; also the endpoint that leads to it.

    Attributes:
        logs: What stands in the log of each room.
        peers: The open connections.
        down: Whether connections are refused.
        deaf: Whether messages are left unread.
        taken: Names that somebody else has.
        asked: Every message that was read.
        forgets: Whether to know no tokens.
    """

    def __init__(self) -> None:
        self.logs: dict[str, list[Event]] = {}
        self.keys: dict[tuple[str, str], Event] = {}
        self.peers: list[Peer] = []
        self.down = False
        self.deaf = False
        self.taken: set[str] = set()
        self.asked: list[dict[str, Any]] = []
        self.forgets = False
        self.failing = False
        self.history = 20
        self._tokens = itertools.count(1)
        self._known: dict[str, str] = {}
        self._read = 0

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  Twisted's name
        """Connect a client, as an endpoint does."""
        if self.down:
            return fail(error.ConnectionRefusedError())
        protocol = cast("IProtocol", protocolFactory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 6622)))
        peer = Peer(self, protocol)
        self.peers.append(peer)
        protocol.makeConnection(peer)
        return succeed(protocol)

    @property
    def peer(self) -> Peer:
        """The only connection."""
        (peer,) = self.peers
        return peer

    def ops(self, *left_out: str) -> list[str]:
        """What was asked, in order."""
        return [message["op"] for message in self.asked if message["op"] not in left_out]

    def run(self, most: int | None = None) -> None:
        """Read and answer what was sent, or at most so many messages of it."""
        busy = True
        while busy and not self.deaf:
            busy = False
            for peer in list(self.peers):
                *lines, rest = peer.value().split(b"\n")
                if most is not None:
                    lines, more = lines[:most], lines[most:]
                    rest = b"\n".join([*more, rest])
                    most -= len(lines)
                peer.clear()
                peer.write(rest)
                for line in lines:
                    busy = True
                    self._do(peer, json.loads(line))
                if most == 0:
                    return

    def lose(self) -> None:
        """Every connection breaks, with what was sent and not read."""
        for peer in list(self.peers):
            peer.lose()

    def say(self, text: str, *, who: str = "bob", room: str = "lobby", kind: Kind = Kind.SAY, key: str = "") -> Event:
        """Somebody says something: it is stored and shown."""
        log = self.logs.setdefault(room, [])
        event = Event(room, len(log) + 1, (FIRST_SECOND + len(log)) * 1000, kind, who, text)
        log.append(event)
        if key:
            self.keys[room, key] = event
        self._show()
        return event

    def _show(self) -> None:
        for peer in list(self.peers):
            for room, cursor in list(peer.rooms.items()):
                for event in self.logs.get(room, [])[cursor:]:
                    peer.rooms[room] = event.seq
                    peer.send_line(event_json(event))

    def _do(self, peer: Peer, message: dict[str, Any]) -> None:
        self.asked.append(message)
        op, id_ = message["op"], message.get("id")
        if op in {"say", "me", "topic"}:
            self._say(peer, message)
        elif (answer := getattr(self, f"_{op}")(peer, message)) is not None:
            peer.send(**{"type": "ok", "re": id_} | answer)
        self._show()

    def _hello(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        token = str(message.get("resume"))
        resumed = token in self._known and not self.forgets
        name = self._known[token] if resumed else message["name"]
        if name in self.taken and not resumed:
            return {"type": "error", "code": "name-taken", "text": f"{name} is taken."}
        token = token if resumed else f"token-{next(self._tokens)}"
        self._known[token] = peer.name = name
        return {"type": "welcome", "name": name, "session": token, "resumed": resumed, "server": "here"}

    def _join(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        room = message["room"].lower()
        if room == "closed":
            return {"type": "error", "code": "bad-room", "text": "#closed is closed."}
        last = len(self.logs.get(room, []))
        peer.rooms[room] = min(message.get("after", max(0, last - self.history)), last)
        members = [peer.name, "bob"]
        return {"type": "joined", "room": room, "seq": last, "topic": "", "members": members, "count": len(members)}

    def _leave(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        peer.rooms.pop(message["room"], None)
        return {}

    def _say(self, peer: Peer, message: dict[str, Any]) -> None:
        room, key = message["room"].lower(), message["key"]
        if self.failing:
            peer.send(type="error", re=message["id"], code="not-stored", text="The disk is full.")
            return
        event = self.keys.get((room, key))
        if event is None:
            event = self.say(message["text"], who=peer.name, room=room, kind=Kind(message["op"]), key=key)
        peer.send(type="ok", re=message["id"], room=room, seq=event.seq)

    def _history(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        log = self.logs.get(message["room"], [])
        after, before, limit = message.get("after"), message.get("before", len(log) + 1), message["limit"]
        events = log[after:][:limit] if after is not None else log[: before - 1][-limit:]
        return {"type": "history", "room": message["room"], "events": [json.loads(event_json(e)) for e in events]}

    def _who(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        return {"type": "who", "room": message["room"], "members": [peer.name, "bob"], "count": 2}

    def _rooms(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        rooms = [{"name": name, "members": 2, "seq": len(log), "topic": ""} for name, log in self.logs.items()]
        return {"type": "rooms", "rooms": rooms}

    def _rename(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        if message["name"] in self.taken:
            return {"type": "error", "code": "name-taken", "text": f"{message['name']} is taken."}
        peer.name = message["name"]
        return {"name": peer.name}

    def _tell(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        peer.send(type="tell", who=peer.name, text=message["text"], at="2026-11-22T08:30:00.000Z")
        return {}

    def _ping(self, peer: Peer, message: dict[str, Any]) -> dict[str, Any]:
        return {"type": "pong"}

    def _quit(self, peer: Peer, message: dict[str, Any]) -> None:
        peer.lose(error.ConnectionDone())


def connect(server: FakeServer, conversation: Conversation, clock: Clock) -> Connection:
    """A client's connection to the server, which has welcomed it."""
    connection = Connection(clock, server, "here", conversation, lambda _: 1.0)
    opening = Deferred.fromCoroutine(connection.open())
    outcome: list[object] = []
    opening.addBoth(outcome.append)
    server.run()
    assert outcome, "neither welcomed nor refused"
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return connection
