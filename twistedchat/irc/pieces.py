"""A text of any length in pieces, each short enough for a line of IRC.

Knows characters, bytes and line feeds. Must not know what the pieces are for.
"""

from __future__ import annotations

from typing import NamedTuple

from twistedchat.irc.shown import shown
from twistedchat.text import safe

__all__ = ["MAX_LINES", "Piece", "pieces"]

MAX_LINES = 100
"""Most lines into which line feeds part a text. Source: docs/irc.md, "Saying"; as many may be sent at once."""

LOOK_BACK_BYTES = 60
"""End of a piece in which a space is looked for, in bytes, so that it ends with a word.

Source: docs/irc.md, "Saying".
"""


class Piece(NamedTuple):
    """A part of a text that fits into a line.

    Attributes:
        text: Harmless, and empty only for a blank line.
        goes_on: Whether it goes on where the piece before it was cut; else it is a line of its own.
    """

    text: str
    goes_on: bool


def pieces(text: str, space_bytes: int) -> list[Piece]:
    """Cut a text at its line feeds, and what is still too long at a space or between two characters.

    Args:
        text: As it was said. Behind its hundredth line a line feed is shown as ``␊``; so are all of them if there is
            nothing but blank lines.
        space_bytes: Size limit of a piece, in bytes of UTF-8; at least 4, so that any character fits.

    Returns:
        At least one piece. Those that go on, joined to what they go on from, and the lines joined by line feeds, are
        the text as it is shown.
    """
    lines = [shown(line) for line in text.split("\n", MAX_LINES - 1)]
    if not any(lines):
        lines = [safe(text)]
    found: list[Piece] = []
    for line in lines:
        _cut(line, space_bytes, found)
    return found


def _cut(line: str, space: int, found: list[Piece]) -> None:
    encoded = line.encode()
    start = 0
    while len(encoded) - start > space:
        end = start + space
        at = encoded.rfind(b" ", max(start, end - LOOK_BACK_BYTES), end) + 1
        if not at:
            at = end
            while encoded[at] & 0xC0 == 0x80:  # in the middle of a character
                at -= 1
        found.append(Piece(encoded[start:at].decode(), start > 0))
        start = at
    found.append(Piece(encoded[start:].decode(), start > 0))
