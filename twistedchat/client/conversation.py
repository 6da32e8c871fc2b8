"""One client's side of a conversation that outlives its connections.

Knows what was joined, seen and said, and what to say to the server about it. Must not know a
socket, a clock or a screen: it writes to a `Link`, and tells a listener what happens.
"""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred

from twistedchat.client.happenings import Answer, Connected, Joined, KeptOut, Line, Refused, Room, Stored
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.python.failure import Failure

    from twistedchat.client.happenings import Closing, Listener, Tell

__all__ = ["END", "Conversation", "Link"]

END = 2**53
"""Joining a room after this seq shows nothing of what was said before. Source: docs/protocol.md, ``after``."""

HISTORY_EVENTS = 20
"""So many events a server shows on joining. Source: docs/protocol.md, ``join``."""

MAX_NUMBERED = 50
"""So many names with a number are tried, if the name is taken and was not chosen by hand."""


class Link(Protocol):
    """A connection, as long as there is one."""

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message, in order."""
        ...


class Conversation:
    """What a client knows and wants, over any number of connections.

    Every event of a room that it is in is told to the listener once, in order, whatever becomes of
    the connections; every line said is sent until the server has stored or refused it.

    Args:
        name: The name to go by.
        listener: Is told all that happens, in order.
        numbered: If the name is taken, take it with a number.

    Attributes:
        name: The name that we go by.
        rooms: The rooms that we are in, or want to be in, by name.
        unstored: The lines that the server has not yet stored, by key, in the order said.
        connected: Whether the server knows us now.
        listener: Is told all that happens.
    """

    def __init__(self, name: str, listener: Listener, *, numbered: bool = False) -> None:
        self.name = name
        self.rooms: dict[str, Room] = {}
        self.unstored: dict[str, Line] = {}
        self.connected = False
        self.listener = listener
        self._numbered = numbered
        self._token: str | None = None
        self._link: Link | None = None
        self._ids = itertools.count(1)
        self._asked: dict[str | int | None, Deferred[Answer]] = {}
        self._left: list[str] = []
        self._held = False

    # -- connections -----------------------------------------------------------------------------

    async def greet(self, link: Link) -> None:
        """Say hello over a new connection, and take everything up where the last one left it.

        Raises:
            ChatError: The server does not take us; or the connection was lost.
        """
        self._link = link
        wanted, resuming = self.name, self._token is not None
        welcome = await self._hello()
        self.connected = True
        self.name, self._token = str(welcome["name"]), str(welcome["session"])
        resumed = bool(welcome["resumed"])
        self.listener(Connected(self.name, str(welcome.get("server", "")), resumed))
        if resuming and resumed and wanted != self.name:
            self.rename(wanted).addErrback(_expect_refusal)
        left, self._left = self._left, []
        for name in left if resumed else ():
            self.ask("leave", room=name).addErrback(_expect_refusal)
        for room in list(self.rooms.values()):
            self._enter(room)
        for line in list(self.unstored.values()):
            self._send(line)

    async def _hello(self) -> Mapping[str, Any]:
        name = self.name
        for number in itertools.count(2):
            resume = {} if self._token is None else {"resume": self._token}
            try:
                return (await self._ask("hello", name=name, **resume)).fields
            except ChatError as error:
                if error.code != "name-taken" or not self._numbered or number > MAX_NUMBERED:
                    raise
                name = f"{self.name[:20]}-{number}"
        raise AssertionError

    def lost(self, error: ChatError) -> None:
        """The connection is gone: what was asked over it is answered by this error."""
        self._link = None
        self.connected = False
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            answer.errback(error)

    def received(self, message: Event | Change | Tell | Closing | Answer) -> None:
        """Take what the server sent."""
        if isinstance(message, Event):
            self._event(message)
        elif isinstance(message, Answer):
            self._answer(message)
        else:
            if isinstance(message, Change):
                self._change(message)
            self.listener(message)

    # -- asking ----------------------------------------------------------------------------------

    def ask(self, op: str, **fields: object) -> Deferred[Answer]:
        """Ask the server something.

        Returns:
            Its answer; fails with `ChatError`: what the server says is wrong, or ``not-connected``.
        """
        if not self.connected:
            answer: Deferred[Answer] = Deferred()
            answer.errback(ChatError("not-connected", "There is no connection to the server now: try again later."))
            return answer
        return self._ask(op, **fields)

    def _ask(self, op: str, **fields: object) -> Deferred[Answer]:
        id_ = next(self._ids)
        answer = self._asked[id_] = Deferred()
        self._put({"op": op, "id": id_} | fields)
        return answer

    def _put(self, message: Mapping[str, object]) -> None:
        if self._link is not None:
            self._link.send(message)

    def _answer(self, answer: Answer) -> None:
        line = self.unstored.get(answer.re) if isinstance(answer.re, str) else None
        if line is not None:
            del self.unstored[line.key]
            if answer.error is not None:
                self.listener(Refused(line, answer.error))
            else:
                line.room.stored = int(answer.fields["seq"])
                self.listener(Stored(line, line.room.stored))
            return
        waiting = self._asked.pop(answer.re, None)
        if waiting is None:
            return
        if answer.error is not None:
            waiting.errback(answer.error)
        else:
            waiting.callback(answer)

    def rename(self, name: str) -> Deferred[None]:
        """Take another name, now or with the next connection; fails with `ChatError`."""
        if not self.connected:
            self.name = name
            done: Deferred[None] = Deferred()
            done.callback(None)
            return done

        def renamed(answer: Answer) -> None:
            self.name = str(answer.fields.get("name", name))

        return self.ask("rename", name=name).addCallback(renamed)

    # -- rooms -----------------------------------------------------------------------------------

    def join(self, name: str, after: int | None = None) -> Room:
        """Enter a room now, or as soon as there is a connection; be told by `Joined`.

        Args:
            name: The room, with or without ``#``.
            after: The last seq that was seen; 0 for everything, `END` for nothing of before; None
                for the last few events. A room that we are in begins anew there.
        """
        name = name.removeprefix("#")
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name)
        elif after is None:
            return room
        room.after = after
        if self.connected:
            self._enter(room)
        return room

    def leave(self, room: Room) -> None:
        """Leave a room. Lines that wait to be stored there are sent all the same."""
        del self.rooms[room.name]
        if self.connected:
            self.ask("leave", room=room.name).addErrback(_expect_refusal)
        else:
            self._left.append(room.name)

    def _enter(self, room: Room) -> None:
        room.entering = True
        after = room.after
        if after is None and room.last is not None:
            # The connection was lost before the first event came.
            after = max(0, room.last - HISTORY_EVENTS)
        place = {} if after is None else {"after": after}
        answer = self._ask("join", room=room.name, **place)
        answer.addCallbacks(self._entered, self._kept_out, callbackArgs=(room,), errbackArgs=(room,))

    def _entered(self, answer: Answer, room: Room) -> None:
        fields = answer.fields
        if self.rooms.get(room.name) is not room:
            return
        last = int(fields["seq"])
        if room.after is not None and last < room.after < END:
            # The log is shorter than what we have seen of it: it is another one.
            room.after = room.stored = 0
            self._enter(room)
            return
        del self.rooms[room.name]
        room.name = str(fields["room"])
        self.rooms[room.name] = room
        room.entering = False
        room.last = last
        if room.after == END:
            room.after = last
        room.topic = str(fields["topic"])
        room.members = set(fields["members"])
        room.count = int(fields.get("count", len(room.members)))
        self.listener(Joined(room))

    def _kept_out(self, failure: Failure, room: Room) -> None:
        error = failure.value
        if isinstance(error, ChatError) and self.connected and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
            self.listener(KeptOut(room, error))

    def _event(self, event: Event) -> None:
        room = self.rooms.get(event.room)
        if room is None or room.entering or (room.after is not None and event.seq <= room.after):
            return
        if self._held:
            room.entering = True
            return
        room.after = event.seq
        if event.kind is Kind.TOPIC:
            room.topic = event.text
        self.listener(event)

    def _change(self, change: Change) -> None:
        room = self.rooms.get(change.room)
        if room is not None:
            room.members.update(change.joined, (new for _, new in change.renamed))
            room.members.difference_update({name for name, _ in change.left}, {old for old, _ in change.renamed})
            room.count = change.count

    # -- reading too slowly ----------------------------------------------------------------------

    def hold(self) -> None:
        """Tell of no more events: whoever listens can't take them now.

        A room is a log and we are a cursor on it: what comes now is dropped, and `go_on` asks for
        it again. So answers still come, and a slow listener costs no memory.
        """
        self._held = True

    def go_on(self) -> None:
        """Tell of events again, from where it was held up."""
        self._held = False
        for room in list(self.rooms.values()):
            if room.entering and self.connected:
                self._enter(room)

    # -- saying ----------------------------------------------------------------------------------

    def say(self, room: Room, text: str, kind: Kind = Kind.SAY) -> Line:
        """Say a line, as soon as there is a connection; `Stored` or `Refused` tells what became of it.

        Args:
            room: One of `rooms`.
            text: At most 4,096 bytes of UTF-8.
            kind: What it is.
        """
        line = Line(room, kind, text.encode(errors="replace").decode(), secrets.token_urlsafe(18))
        self.unstored[line.key] = line
        if self.connected:
            self._send(line)
        return line

    def _send(self, line: Line) -> None:
        self._put({"op": str(line.kind), "id": line.key, "room": line.room.name, "text": line.text, "key": line.key})

    def quit(self) -> None:
        """Ask the server to close the connection when all that was said is stored and shown."""
        self._put({"op": "quit"})


def _expect_refusal(failure: Failure) -> None:
    """What was asked did not matter so much that somebody should be told."""
    failure.trap(ChatError)
