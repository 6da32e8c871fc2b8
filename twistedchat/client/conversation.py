"""One client's side of a conversation that outlives its connections.

Knows who we are, and puts requests, rooms and lines together. Must not know a socket, a clock or a
screen: it writes to a `Link`, and notifies a listener.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed

from twistedchat.client.joined_rooms import END, JoinedRooms
from twistedchat.client.messages import Answer, Removal
from twistedchat.client.notifications import Connected
from twistedchat.client.outbox import Outbox
from twistedchat.client.requests import Link, Requests, expect_refusal
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twistedchat.client.messages import Message
    from twistedchat.client.notifications import JoinedRoom, Listener, OutgoingLine

__all__ = ["END", "Conversation", "Link"]

MAX_NUMBERED = 50
"""Highest number that is tried behind a name that is taken and was not chosen by hand. Source: chosen."""


class Conversation:
    """What a client knows and wants, over any number of connections.

    Every event of a room that it is in is told to the listener once, in order, whatever becomes of
    the connections; every line said is sent until the server has stored or refused it.

    Args:
        name: The name to go by.
        listener: Is notified of all that happens, in order.
        numbered: If the name is taken, take it with a number.

    Attributes:
        name: The name that we go by.
        listener: Is notified of all that happens.
    """

    def __init__(self, name: str, listener: Listener, *, numbered: bool = False) -> None:
        self.name = name
        self.listener = listener
        self._numbered = numbered
        self._token: str | None = None
        self._requests = Requests()
        self._rooms = JoinedRooms(self._requests, listener)
        self._outbox = Outbox(self._requests, listener)

    @property
    def connected(self) -> bool:
        """Whether the server knows us now."""
        return self._requests.ready

    @property
    def rooms(self) -> Mapping[str, JoinedRoom]:
        """The rooms that we are in, or want to be in, by name."""
        return self._rooms.by_name

    @property
    def unstored(self) -> Mapping[str, OutgoingLine]:
        """The lines that the server has not yet stored, by key, in the order said."""
        return self._outbox.lines

    # -- connections -----------------------------------------------------------------------------

    async def greet(self, link: Link) -> None:
        """Say hello over a new connection, and take everything up where the last one left it.

        Raises:
            ChatError: The server does not take us; or the connection was lost.
        """
        self._requests.open(link)
        wanted, resuming = self.name, self._token is not None
        welcome = await self._hello()
        self._requests.ready = True
        self.name, self._token = str(welcome["name"]), str(welcome["session"])
        self._rooms.server_log = welcome.get("log")
        resumed = bool(welcome["resumed"])
        self.listener(Connected(self.name, str(welcome.get("server", "")), resumed))
        if resuming and resumed and wanted != self.name:
            self.rename(wanted).addErrback(expect_refusal)
        self._rooms.enter_all(resumed=resumed)
        self._outbox.send_all()

    async def _hello(self) -> Mapping[str, Any]:
        name = self.name
        for number in itertools.count(2):
            resume = {} if self._token is None else {"resume": self._token}
            try:
                return (await self._requests.ask_early("hello", name=name, **resume)).fields
            except ChatError as error:
                if error.code != "name-taken" or not self._numbered or number > MAX_NUMBERED:
                    raise
                name = f"{self.name[:20]}-{number}"
        raise AssertionError

    def lost(self, error: ChatError) -> None:
        """The connection is gone: what was asked over it is answered by this error."""
        self._requests.lose(error)

    def received(self, message: Message) -> None:
        """Take what the server sent."""
        if isinstance(message, Event):
            self._rooms.event(message)
        elif isinstance(message, Answer):
            if not self._outbox.answered(message):
                self._requests.answered(message)
        else:
            if isinstance(message, Change):
                self._rooms.change(message)
            elif isinstance(message, Removal):
                self._rooms.removed(message.room)
            self.listener(message)

    def ask(self, op: str, **fields: object) -> Deferred[Answer]:
        """Ask the server something.

        Returns:
            Its answer; fails with `ChatError`: what the server says is wrong, or ``not-connected``.
        """
        return self._requests.ask(op, **fields)

    def quit(self, why: str = "") -> None:
        """Ask the server to close the connection when all that was said is stored and shown.

        Args:
            why: A parting word for the others; "" for none.
        """
        self._requests.send({"op": "quit", "text": why} if why else {"op": "quit"})

    # -- what a client does ----------------------------------------------------------------------

    def rename(self, name: str) -> Deferred[None]:
        """Take another name, now or with the next connection; fails with `ChatError`."""
        if not self.connected:
            self.name = name
            return succeed(None)

        def renamed(answer: Answer) -> None:
            old, self.name = self.name, str(answer.fields.get("name", name))
            self._rooms.renamed(old, self.name)

        return self.ask("rename", name=name).addCallback(renamed)

    def find(self, name: str) -> JoinedRoom | None:
        """A room that we are in, by its name, with or without ``#``, in any case."""
        return self._rooms.find(name)

    def join(self, name: str, after: int | None = None, key: str = "") -> JoinedRoom:
        """Enter a room now, or as soon as there is a connection; be told by `JoinAccepted`.

        Args:
            name: The room, with or without ``#``.
            after: The last seq that was seen; 0 for everything, `END` for nothing of before; None
                for the last few events. A room that we are in begins anew there.
            key: The room's, where it has one.

        Returns:
            The room; if only the server knows that it is one that we are in, `JoinMerged` tells which.
        """
        return self._rooms.join(name, after, key)

    def leave(self, room: JoinedRoom) -> None:
        """Leave a room. Lines that wait to be stored there are sent all the same."""
        self._rooms.leave(room)

    def say(self, room: JoinedRoom, text: str, kind: Kind = Kind.SAY) -> OutgoingLine:
        """Say a line, as soon as there is a connection; `LineStored` or `LineRefused` tells what became of it.

        Args:
            room: One of `rooms`.
            text: At most 4,096 bytes of UTF-8.
            kind: What it is.
        """
        return self._outbox.say(room, text, kind)

    # -- backpressure ----------------------------------------------------------------------------

    def hold(self) -> None:
        """Tell of no more events: whoever listens can't take them now.

        A room is a log and we are a cursor on it: what comes now is dropped, and `go_on` asks for
        it again. So answers still come, and a slow listener costs no memory.
        """
        self._rooms.hold()

    def go_on(self) -> None:
        """Tell of events again, from where it was held up."""
        self._rooms.go_on()
