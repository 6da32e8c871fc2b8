"""What each thing on the full screen looks like: its words, their styles, and how it is cut into rows. Pure.

Must not know where on the screen it stands.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from wcwidth import wcwidth

from twistedchat.client.times import clock_of
from twistedchat.events import Event, Kind
from twistedchat.mentions import mentions, stands_alone
from twistedchat.text import safe, unformatted

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence
    from typing import TypeAlias

    from twistedchat.client.transcript import Note

    Fragments: TypeAlias = list[tuple[str, str]]

__all__ = ["INDENT", "NAME_COLOURS", "Painter", "painted", "rows", "width_of"]

INDENT = 9
"""Indent of the rows of a long line but the first, in columns: the width of a time and a space."""

NAME_COLOURS = (
    "#e12f2f",
    "#af6419",
    "#7b7b12",
    "#4c8513",
    "#148a14",
    "#13884e",
    "#138484",
    "#1e78d2",
    "#6666e9",
    "#9b4fe6",
    "#cd1dcd",
    "#df2080",
)
"""Colours of names: twelve hues of one lightness, 4.5 to 1 against black and against white.

Source: WCAG 2.1, contrast ratio.
"""


@lru_cache(maxsize=4096)
def colour_of(name: str) -> str:
    """The steady colour of a name."""
    return f"fg:{NAME_COLOURS[zlib.crc32(name.casefold().encode()) % len(NAME_COLOURS)]}"


@lru_cache(maxsize=4096)
def painted(painter: Painter, content: Event | Note, width: int) -> list[Fragments]:
    """An event or a note as rows of the screen."""
    return rows(painter.event(content) if isinstance(content, Event) else painter.note(content), width, INDENT)


@dataclass(frozen=True, slots=True)
class Painter:
    """Puts things into styled words.

    Attributes:
        name: The person's own, which is highlighted.
        numbered: Whether an event's seq stands behind its time.
        zone: The zone of the times; None is the one of this machine.
    """

    name: str
    numbered: bool = False
    zone: datetime.tzinfo | None = None

    def event(self, event: Event) -> Fragments:
        """Something that was said or done."""
        _, seq, at, kind, who, text, _ = event
        number = f"{seq} " if self.numbered else ""
        head: Fragments = [("class:time", f"{clock_of(at // 1000, self.zone)} {number}")]
        name, text = (colour_of(who), safe(who)), unformatted(text)
        if kind is Kind.SAY:
            return [*head, name, ("", ": "), *self._text(text, who)]
        if kind is Kind.ME:
            return [*head, ("", "* "), name, ("", " "), *self._text(text, who)]
        if kind is Kind.TOPIC:
            did = f" set the topic: {text}" if text else " cleared the topic"
            return [*head, ("", "* "), name, ("", did)]
        if who:
            return [*head, ("", "-"), name, ("", "- "), *self._text(text, who)]
        return [*head, ("class:notice", f"! {text}")]

    def _text(self, text: str, who: str) -> Fragments:
        """What was said, with the person's name highlighted where it stands as a word of its own."""
        if who == self.name or not self.calls(text):
            return [("", text)]
        parts: Fragments = []
        done = 0
        for found in re.finditer(re.escape(self.name), text, re.IGNORECASE):
            if stands_alone(text, found.start(), found.end()):
                parts += [("", text[done : found.start()]), ("class:called", found[0])]
                done = found.end()
        return [part for part in [*parts, ("", text[done:])] if part[1]]

    def calls(self, text: str) -> bool:
        """Whether a text says the person's name, as a word."""
        return mentions(self.name, text)

    def pending(self, kind: Kind, text: str, *, connected: bool) -> Fragments:
        """A line of one's own that is not in the log yet."""
        sign = "…" if connected else "waiting"
        body = f"* {self.name} {text}" if kind is Kind.ME else f"{self.name}: {text}"
        return [("class:pending", f"{sign:8} {safe(body)}")]

    @staticmethod
    def note(note: Note) -> Fragments:
        """A line for this person alone."""
        return [("class:note", f"*** {unformatted(note.text)}")]


@lru_cache(maxsize=8192)
def width_of(character: str) -> int:
    """How many columns a character takes."""
    return max(0, wcwidth(character))


def rows(fragments: Sequence[tuple[str, str]], width: int, indent: int) -> list[Fragments]:
    """Cut styled words into rows, at spaces where that can be.

    Args:
        fragments: Styles and harmless text without line ends.
        width: Columns, at least 2.
        indent: Empty columns before all rows but the first, if the screen is wide enough.
    """
    indent = indent if width >= 3 * indent else 0
    found: list[list[tuple[str, str]]] = []
    row: list[tuple[str, str]] = []
    used = 0
    space = -1
    for style, text in fragments:
        for character in text:
            columns = width_of(character)
            if used + columns > width:
                cut = space + 1
                # The last word goes to the next row, unless it does not fit there: then it is cut in two.
                if space <= 0 or indent + _width(row[cut:]) + columns > width:
                    cut = len(row)
                found.append(row[:cut])
                row = [("", " ")] * indent + row[cut:]
                used = _width(row)
                space = -1
            if character == " " and len(row) > (indent if found else 0):
                space = len(row)
            row.append((style, character))
            used += columns
    found.append(row)
    return [_joined(row) for row in found]


def _width(row: list[tuple[str, str]]) -> int:
    """The columns that a row takes, of single characters."""
    return sum(width_of(character) for _, character in row)


def _joined(row: list[tuple[str, str]]) -> Fragments:
    """Neighbours of one style as one."""
    joined: Fragments = []
    for style, character in row:
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + character)
        else:
            joined.append((style, character))
    return joined
