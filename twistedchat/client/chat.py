"""A room for programs: connect, join, say, and an iterator of events, over any number of connections.

Knows Deferreds and queues. Must not know a terminal.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail

from twistedchat.client.address import Address
from twistedchat.client.connection import Connection
from twistedchat.client.conversation import Conversation
from twistedchat.client.happenings import Joined, KeptOut, Refused, Stored, Tell
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.client.happenings import Happening, Line, Room

__all__ = ["MAX_WAITING", "Chat", "connect"]

MAX_WAITING = 1024
"""So many events wait for a slow program before the rest is left in the server's log until it is asked for."""


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
        self._conversation = Conversation(name, self._happened, numbered=numbered)
        self._connection: Connection | None = None
        self._waiting: deque[Event] = deque()
        self._reader: Deferred[None] | None = None
        self._joining: dict[Room, Deferred[str]] = {}
        self._saying: dict[Line, Deferred[int]] = {}
        self._closed = False

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
        entering = self._conversation.join(room, after)
        joined: Deferred[str] = Deferred()
        if entering.entering:
            self._joining[entering] = joined
        else:
            joined.callback(entering.name)
        return joined

    def say(self, room: str, text: str, *, kind: Kind = Kind.SAY) -> Deferred[int]:
        """Say something; it is sent again and again until it is stored, once.

        Args:
            room: One that was joined.
            text: At most 4,096 bytes of UTF-8.
            kind: `Kind.ME` for what one does, `Kind.TOPIC` for the room's topic.

        Returns:
            The line's seq, once it is stored; fails with `ChatError` if it is refused.
        """
        known = self._conversation.rooms.get(room.removeprefix("#"))
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
        """Leave, when all that was said is stored; the iteration ends."""
        self._closed = True
        self._wake()
        if self._connection is not None:
            await self._connection.close()

    # -- events ----------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
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

    def _happened(self, happening: Happening) -> None:
        match happening:
            case Tell() if self.told is not None:
                self.told(happening)
            case Event():
                self._waiting.append(happening)
                if len(self._waiting) >= MAX_WAITING:
                    self._conversation.hold()
                self._wake()
            case Joined(room) if room in self._joining:
                self._joining.pop(room).callback(room.name)
            case KeptOut(room, error) if room in self._joining:
                self._joining.pop(room).errback(error)
            case Stored(line, seq):
                self._saying.pop(line).callback(seq)
            case Refused(line, error):
                self._saying.pop(line).errback(error)

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)


async def connect(reactor: IReactorTime, address: str = "localhost", *, name: str, numbered: bool = False) -> Chat:
    """Connect to a server, and stay connected until `Chat.close`.

    Args:
        reactor: As `twisted.internet.task.react` hands it on.
        address: ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``, ``unix:PATH``, or any client endpoint string.
        name: The name to go by.
        numbered: If it is taken, take it with a number.

    Raises:
        ChatError: There is no server, or it does not take the name; `ChatError.text` says what to do.
        ValueError: The address has a mistake.
    """
    chat = Chat(name, numbered=numbered)
    endpoint = Address.parse(address).endpoint(reactor)
    await chat.open(Connection(reactor, endpoint, address, chat.conversation))
    return chat
