"""What a room needs of a format. Must not know any format, nor who reads."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

__all__ = ["Change", "Format", "Page"]


class Page(NamedTuple):
    """A run of events, rendered once for everybody who reads it in the same format.

    Attributes:
        data: The bytes for a reader whose screen already stands at ``first_day``; may be empty.
        dated: The bytes for any other reader: the same, after a line with the date.
        first_day: The day of the first event, or None where the format has no dates.
        last_day: The day of the last event, likewise.
    """

    data: bytes
    dated: bytes
    first_day: Hashable = None
    last_day: Hashable = None


@dataclass(frozen=True, slots=True)
class Change:
    """Who came and went in a room since somebody was last told.

    Attributes:
        room: The room's name without ``#``.
        joined: Names that are here now and were not.
        left: Names that were here and are not, each with its parting word or "".
        renamed: Pairs of the old name and the new.
        count: How many people are here now.
    """

    room: str
    joined: Sequence[str]
    left: Sequence[tuple[str, str]]
    renamed: Sequence[tuple[str, str]]
    count: int


class Format(Hashable, Protocol):
    """A way to write events as bytes.

    Hashable and equal by value: a room renders once for each distinct format among its members.
    """

    def page(self, events: Sequence[Event]) -> Page:
        """Render events, oldest first, in the order given."""
        ...

    def presence(self, change: Change) -> bytes:
        """Render who came and went; b"" if this format does not show it."""
        ...
