"""One person at a terminal: what is typed goes out, what happens comes in, whatever the screen is.

Knows the conversation and the person's wishes. Must not know how anything is drawn: it tells a `View`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from twistedchat.client.commands import find_command
from twistedchat.client.conversation import Conversation
from twistedchat.client.happenings import Closing, Connected, KeptOut, Refused, Retrying, Tell
from twistedchat.client.lines import pieces
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.client.happenings import Happening, Line, Room

__all__ = ["Desk", "View", "Wishes"]


_NETWORK = {"lost", "unreachable"}
"""Why there is no connection, by code, where waiting is all that one can do."""


@dataclass(slots=True)
class Wishes:
    """How a person wants to be shown things; what ``/set`` and ``/ignore`` change.

    Attributes:
        seq: Whether events are shown with their number.
        presence: Whether coming and going is shown.
        bell: Whether to ring when one's name is said.
        ignored: The names of which nothing is shown, without case.
    """

    seq: bool = False
    presence: bool = True
    bell: bool = False
    ignored: set[str] = field(default_factory=set)


class View(Protocol):
    """What shows a person the conversation."""

    def happened(self, happening: Happening) -> None:
        """Show what happened; the desk has left out what the person does not want to see."""
        ...

    def tell(self, text: str) -> None:
        """Show a line for this person alone."""
        ...

    def said(self, line: Line) -> None:
        """The person has said a line; it is not stored yet."""
        ...

    def entered(self, room: Room) -> None:
        """The person talks in this room from now on."""
        ...

    def show_page(self, room: Room, events: Sequence[Event]) -> None:
        """Show events of the past."""
        ...

    def go_back(self, room: Room, seq: int) -> None:
        """Show everything in a room from after this seq on."""
        ...

    def finish(self) -> None:
        """The person wants to leave."""
        ...


class Desk:
    """One person at a terminal.

    Args:
        name: The name to go by.
        numbered: If the name is taken, take it with a number.
        seconds: Tells the time, in seconds since 1970.
        saw: Is told the room and the seq of every event.

    Attributes:
        conversation: The conversation.
        room: The room that the person talks in, or None.
        last_teller: Who sent the last private line, or "".
        wishes: How the person wants to be shown things.
        view: What shows it; to be set before anything happens.
    """

    view: View

    def __init__(
        self,
        name: str,
        seconds: Callable[[], float],
        *,
        numbered: bool = False,
        saw: Callable[[str, int], None] | None = None,
    ) -> None:
        self.conversation = Conversation(name, self.happened, numbered=numbered)
        self.seconds = seconds
        self._saw = saw
        self.room: Room | None = None
        self.last_teller = ""
        self._told = ""
        self.wishes = Wishes()

    # -- what happens ----------------------------------------------------------------------------

    def happened(self, happening: Happening) -> None:
        """Take note of what happened, and show it if the person wants to see it."""
        if isinstance(happening, Event) and self._saw is not None:
            self._saw(happening.room, happening.seq)
        match happening:
            case Event() if happening.kind is not Kind.NOTICE and self._ignores(happening.who):
                return
            case Tell():
                if self._ignores(happening.who):
                    return
                self.last_teller = happening.who
            case Change() if not self.wishes.presence:
                return
            case KeptOut(room, error):
                if room is self.room:
                    self._talk_elsewhere()
                self.tell(error.text)
            case Refused(_, error):
                self.tell(error.text)
            case Closing(text):
                self.tell(text)
            case Connected():
                self._told = ""
            case Retrying(_, error) if error.code not in _NETWORK and error.text != self._told:
                # The server is there and does not take us: the person may have to do something.
                self._told = error.text
                self.tell(error.text)
        self.view.happened(happening)

    def _ignores(self, who: str) -> bool:
        return who.casefold() in self.wishes.ignored

    def tell(self, text: str) -> None:
        """Show a line for this person alone."""
        self.view.tell(text)

    # -- what is typed ---------------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Do what a typed line asks: a command, or something to say. Empty lines are nothing."""
        text = text.rstrip("\r\n")
        if not text.strip():
            return
        Deferred.fromCoroutine(self._answer(text))

    async def _answer(self, text: str) -> None:
        try:
            await self._do(text)
        except ChatError as error:
            self.tell(error.text)

    async def _do(self, text: str) -> None:
        if not text.startswith("/") or text.startswith("//"):
            self.say(text.removeprefix("/") if text.startswith("//") else text)
            return
        name, _, rest = text[1:].partition(" ")
        await find_command(name).run(self, rest.strip())

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say something in the room that the person talks in.

        Raises:
            ChatError: ``not-in-room``: the person is in none.
        """
        room = self.here
        for piece in pieces(text) or [""]:
            self.view.said(self.conversation.say(room, piece, kind))

    # -- rooms -----------------------------------------------------------------------------------

    @property
    def here(self) -> Room:
        """The room that the person talks in.

        Raises:
            ChatError: ``not-in-room``: none.
        """
        if self.room is None:
            raise ChatError("not-in-room", "You are in no room: /join #room enters one, /rooms lists them.")
        return self.room

    def find(self, name: str) -> Room | None:
        """A room that the person is in, by its name as it is typed."""
        wanted = name.removeprefix("#").casefold()
        return next((room for room in self.conversation.rooms.values() if room.name.casefold() == wanted), None)

    def enter(self, name: str, after: int | None = None) -> None:
        """Enter a room, and talk there from now on."""
        room = self.find(name) or self.conversation.join(name, after)
        self.talk_in(room)

    def talk_in(self, room: Room) -> None:
        """Talk in a room that the person is in."""
        self.room = room
        self.view.entered(room)

    def leave(self, room: Room) -> None:
        """Leave a room; then talk in another, if there is one."""
        self.conversation.leave(room)
        if room is self.room:
            self._talk_elsewhere()

    def _talk_elsewhere(self) -> None:
        rooms = list(self.conversation.rooms.values())
        self.room = None
        if rooms:
            self.talk_in(rooms[-1])
