"""The client on a terminal that only takes lines: what is shown there, and what is typed.

Knows wording. Must not know a socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.happenings import Connected, Disconnected, Joined, Tell
from twistedchat.events import Event
from twistedchat.formats.base import Change
from twistedchat.formats.plain import PlainFormat, told
from twistedchat.text import listing

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from twistedchat.client.desk import Desk
    from twistedchat.client.happenings import Happening, Line, Room
    from twistedchat.client.stdio import Stream

__all__ = ["PlainLines", "PlainTerminal", "presence_sentences", "welcome"]


class PlainLines:
    """Writes what happens as lines of text, with local times and a line for each new day."""

    def __init__(self) -> None:
        self._day: Hashable = None

    def events(self, events: Sequence[Event], format_: PlainFormat) -> str:
        """Events, oldest first."""
        shown = format_.page(events)
        data = shown.data if shown.first_day == self._day else shown.dated
        self._day = shown.last_day
        return _unix(data)

    def told(self, text: str) -> str:
        """A line for one's own eyes."""
        return _unix(told(text))

    def change(self, change: Change, format_: PlainFormat) -> str:
        """Who came and went."""
        return _unix(format_.presence(change))


def _unix(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n")


def welcome(name: str, room: Room) -> str:
    """A sentence that says who one is, and who else is here."""
    others = sorted(room.members - {name}, key=str.casefold)
    if room.count > len(room.members):
        return f"You are {name}, in #{room.name} with {room.count - 1:,} others (/who names them)."
    return (
        f"You are {name}, in #{room.name}{f' with {listing(others)}' if others else ', and nobody else is here yet'}."
    )


def presence_sentences(change: Change) -> list[str]:
    """Who came and went, as sentences."""
    shown = _unix(PlainFormat().presence(change))
    return [line.removeprefix("*** ") for line in shown.splitlines()]


class PlainTerminal:
    """A person at a terminal that takes lines; also the desk's view, and the user of its stdio.

    Attributes:
        stream: To be set before anything happens.
        done: Fires when the person leaves.
    """

    stream: Stream

    def __init__(self, desk: Desk) -> None:
        self.done: Deferred[None] = Deferred()
        self._desk = desk
        self._lines = PlainLines()
        self._lost = False
        self._introduced: set[str] = set()
        desk.view = self

    # -- the user of stdio -----------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """A line was typed."""
        self._desk.typed(text)

    def ended(self) -> None:
        """Ctrl-D."""
        self.finish()

    def closed(self) -> None:
        """The terminal is gone."""
        self.finish()

    def full(self) -> None:
        """The terminal takes no more for now."""
        self._desk.conversation.hold()

    def drained(self) -> None:
        """The terminal takes more."""
        self._desk.conversation.go_on()

    # -- the desk's view -------------------------------------------------------------------------

    def happened(self, happening: Happening) -> None:
        """Write what happened."""
        match happening:
            case Event(room=room):
                self.stream.write(self._lines.events([happening], self._format(room)))
            case Change(room=room):
                self.stream.write(self._lines.change(happening, self._format(room)))
            case Tell(who, text):
                self.tell(f"{who} tells you: {text}")
            case Disconnected(why):
                self._lost = True
                self.tell(f"{why} Trying to connect again.")
            case Connected() if self._lost:
                self._lost = False
                self.tell("Connected again.")
            case Joined(room) if room.name not in self._introduced:
                self._introduced.add(room.name)
                self.tell(welcome(self._desk.conversation.name, room))
                if room.topic:
                    self.tell(f"The topic is: {room.topic}")

    def _format(self, room: str) -> PlainFormat:
        wishes, here = self._desk.wishes, self._desk.room
        return PlainFormat(
            numbered=wishes.seq,
            with_room=here is None or here.name != room,
            bell_for=self._desk.conversation.name if wishes.bell else "",
        )

    def tell(self, text: str) -> None:
        """Write a line for this person alone."""
        self.stream.write(self._lines.told(text))

    def said(self, line: Line) -> None:
        """Nothing: the line comes back, stamped."""

    def entered(self, room: Room) -> None:
        """Say so, unless `Joined` will."""
        if not room.entering:
            self.tell(f"You talk in #{room.name} now.")

    def show_page(self, room: Room, events: Sequence[Event]) -> None:
        """Write events of the past."""
        self.stream.write(self._lines.events(events, self._format(room.name)))

    def go_back(self, room: Room, seq: int) -> None:
        """Have the server begin there again."""
        self.tell(f"From {seq + 1} on in #{room.name}:")
        self._desk.conversation.join(room.name, seq)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.finish()

    def finish(self) -> None:
        """Leave."""
        if not self.done.called:
            self.done.callback(None)
