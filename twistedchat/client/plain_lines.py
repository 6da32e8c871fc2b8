"""Events, presence and notes as lines of text. Knows wording. Must not know where they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.client.times import day_of
from twistedchat.formats.plain import PlainFormat
from twistedchat.text import listing, unformatted

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from twistedchat.client.notifications import JoinedRoom
    from twistedchat.events import Event
    from twistedchat.formats.base import Change

__all__ = ["PlainLines", "presence_sentences", "welcome"]


class PlainLines:
    """Words events, presence and notes as lines of text, with a line for each new day."""

    def __init__(self) -> None:
        self._day = ""

    def events(
        self,
        events: Sequence[Event],
        *,
        zone: datetime.tzinfo | None = None,
        numbered: bool = False,
        with_room: bool = False,
    ) -> str:
        """Events, oldest first.

        Args:
            events: What was said.
            zone: The zone of the times; None is the one of this machine.
            numbered: Whether each event's seq stands behind its time.
            with_room: Whether ``#room`` stands before the event.
        """
        format_ = PlainFormat(zone=zone, numbered=numbered, with_room=with_room)
        return "".join(f"{self._new_day(event, zone)}{_unix(format_.page([event]).data)}" for event in events)

    def _new_day(self, event: Event, zone: datetime.tzinfo | None) -> str:
        day, self._day = self._day, day_of(event.at, zone)
        return "" if day == self._day else f"--- {self._day} ---\n"

    @staticmethod
    def note(text: str) -> str:
        """A line for one person alone."""
        return f"*** {unformatted(text)}\n"

    @staticmethod
    def change(change: Change, *, with_room: bool = False) -> str:
        """Who came and went."""
        return _unix(PlainFormat(with_room=with_room).presence(change))


def _unix(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n")


def welcome(name: str, room: JoinedRoom) -> str:
    """A sentence that says who one is, and who else is here."""
    others = sorted(room.members - {name}, key=str.casefold)
    if room.count > len(room.members):
        return f"You are {name}, in #{room.name} with {room.count - 1:,} others (/who names them)."
    return (
        f"You are {name}, in #{room.name}{f' with {listing(others)}' if others else ', and nobody else is here yet'}."
    )


def presence_sentences(change: Change) -> list[str]:
    """Who came and went, as sentences."""
    return [line.removeprefix("*** ") for line in PlainLines.change(change).splitlines()]
