"""A room for programs: connect, join, say, and an iterator of events, over any number of connections.

Knows Deferreds and queues. Must not know a terminal.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger

from twistedchat.client.address import addresses, servers
from twistedchat.client.connection import Connection
from twistedchat.client.conversation import Conversation
from twistedchat.client.messages import Tell
from twistedchat.client.notifications import (
    Disconnected,
    JoinAccepted,
    JoinMerged,
    JoinRefused,
    LineDelayed,
    LineRefused,
    LineStored,
    LogReset,
    Stopped,
    news_of,
)
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.client.notifications import JoinedRoom, Notification, OutgoingLine

__all__ = ["MAX_WAITING", "Chat", "connect"]

MAX_WAITING = 1024
"""High-water mark of events that wait for a slow program; what comes above it is left in the server's log.

At 4 kB of text each that is 4 MB. They are asked for again when half of them are taken. Source: chosen.
"""

_CLOSED = ChatError("closed", "The chat was closed before that was answered.")

_log = Logger()


class Chat:
    """A program in its rooms; made by `connect`.

    Lost connections are made again by themselves: nothing that was said in the rooms is missed or
    comes twice, and what was said with `say` is sent until it is stored.

    Iterate over it to be given the events of all its rooms, in order::

        async for event in chat:
            ...

    However slowly the program takes them, a bounded number waits in memory.

    Attributes:
        told: Called with each private line; to be set by whoever wants them.
    """

    def __init__(self, name: str, *, numbered: bool = False) -> None:
        self.told: Callable[[Tell], None] | None = None
        self._conversation = Conversation(name, self._notified, numbered=numbered)
        self._connection: Connection | None = None
        self._waiting: deque[Event] = deque()
        self._reader: Deferred[None] | None = None
        self._joining: dict[JoinedRoom, list[Deferred[str]]] = {}
        self._saying: dict[OutgoingLine, Deferred[int]] = {}
        self._delayed: set[OutgoingLine] = set()
        self._end: ChatError | None = None

    async def open(self, connection: Connection) -> None:
        """Connect for the first time; called by `connect`."""
        self._connection = connection
        await connection.open()

    @property
    def conversation(self) -> Conversation:
        """What is below: for the ops that have no method here, ``await chat.conversation.ask("who", room=…)``."""
        return self._conversation

    @property
    def name(self) -> str:
        """The name that the server knows us by."""
        return self._conversation.name

    # -- verbs -----------------------------------------------------------------------------------

    def join(self, room: str, *, after: int | None = None) -> Deferred[str]:
        """Enter a room.

        Args:
            room: With or without ``#``.
            after: Begin with what came after this seq; `END` with what is said from now on; None
                with the last few events.

        Returns:
            The room's name, as the server spells it and as events have it; fails with `ChatError`.
        """
        if self._end is not None:
            return fail(self._end)
        entering = self._conversation.join(room, after)
        if after is None and entering.last is not None:
            return succeed(entering.name)
        joined: Deferred[str] = Deferred()
        self._joining.setdefault(entering, []).append(joined)
        return joined

    def say(self, room: str, text: str, *, kind: Kind = Kind.SAY) -> Deferred[int]:
        """Say something; it is sent again and again until it is stored, once.

        Args:
            room: One that was joined.
            text: At most 4,096 bytes of UTF-8.
            kind: `Kind.ME` for what one does, `Kind.TOPIC` for the room's topic.

        Returns:
            The line's seq, once it is stored; fails with `ChatError` if it is refused, or if the chat
            is closed before.
        """
        if self._end is not None:
            return fail(self._end)
        known = self._conversation.find(room)
        if known is None:
            return fail(ChatError("not-in-room", f"You are not in #{room.removeprefix('#')}: join it first."))
        stored: Deferred[int] = Deferred()
        self._saying[self._conversation.say(known, text, kind)] = stored
        return stored

    async def tell(self, name: str, text: str) -> None:
        """Say something to one person alone.

        Raises:
            ChatError: There is nobody of that name, or no connection now.
        """
        await self._conversation.ask("tell", to=name, text=text)

    async def close(self) -> None:
        """Leave, when all that was said is stored; the iteration ends.

        What is not stored then, because the server does not answer, fails with the code ``closed``.
        """
        if self._connection is not None:
            closing, self._connection = self._connection, None
            self._end_with(_CLOSED)
            await closing.close()
        self._fail_all(_CLOSED)

    def _end_with(self, error: ChatError) -> None:
        """From now on nothing is asked any more; the iteration ends when all events are taken."""
        self._end = self._end or error
        self._wake()

    def _fail_all(self, error: ChatError) -> None:
        """What was asked and not answered fails."""
        joining, self._joining = self._joining, {}
        saying, self._saying = self._saying, {}
        for joined in [deferred for waiting in joining.values() for deferred in waiting]:
            joined.errback(error)
        for stored in saying.values():
            stored.errback(error)

    # -- events ----------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._end is _CLOSED:
                raise StopAsyncIteration
            if self._end is not None:
                raise self._end
            self._reader = Deferred()
            await self._reader
        found = self._waiting.popleft()
        if len(self._waiting) == MAX_WAITING // 2:
            self._conversation.go_on()
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.close()

    def _notified(self, notification: Notification) -> None:
        match notification:
            case Tell() if self.told is not None:
                self.told(notification)
            case Event():
                self._waiting.append(notification)
                if len(self._waiting) >= MAX_WAITING:
                    self._conversation.hold()
                self._wake()
            case JoinAccepted(room):
                self._joined(room, room.name)
            case JoinMerged(asked, room):
                self._joined(asked, room.name)
            case JoinRefused(room, error):
                for joined in self._joining.pop(room, ()):
                    joined.errback(error)
            case LineDelayed(line, error) if line not in self._delayed:
                self._delayed.add(line)
                _log.warn("A line can't be stored now, and is sent again until it is: {text}", text=error.text)
            case LineStored(line, seq) if line in self._saying:
                self._delayed.discard(line)
                self._saying.pop(line).callback(seq)
            case LineRefused(line, error) if line in self._saying:
                self._saying.pop(line).errback(error)
            case LogReset() | Disconnected() if news := news_of(notification):
                _log.warn("{text}", text=news)
            case Stopped(error):
                self._end_with(error)
                self._fail_all(error)

    def _joined(self, room: JoinedRoom, name: str) -> None:
        for joined in self._joining.pop(room, ()):
            joined.callback(name)

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)


async def connect(
    reactor: IReactorTime, address: str | Sequence[str] = "localhost", *, name: str, numbered: bool = False
) -> Chat:
    """Connect to a server, and stay connected until `Chat.close`.

    Args:
        reactor: As `twisted.internet.task.react` hands it on.
        address: ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``, ``unix:PATH``, or any client endpoint string; of servers
            that share their rooms a list, or one text with spaces between: when one is lost, the next is tried.
        name: The name to go by.
        numbered: If it is taken, take it with a number.

    Raises:
        ChatError: None of the servers is there, or it does not take the name; `ChatError.text` says what to do.
        ValueError: An address has a mistake, or there is none.
    """
    chat = Chat(name, numbered=numbered)
    found = addresses(address.split() if isinstance(address, str) else address)
    await chat.open(Connection(reactor, servers(reactor, found), chat.conversation))
    return chat
