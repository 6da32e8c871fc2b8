"""What is safe to show on a terminal, or to any reader that goes by lines.

Knows characters. Must not know who says or reads them. The log keeps a text as it was sent; it is
made harmless here, on its way to somebody's eyes.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cut", "json_safe", "listing", "safe", "shown_as", "unformatted"]

_UNSHOWABLE = chain(
    range(0x80, 0xA0),  # C1 controls, U+0085 (next line) among them
    (0x061C, 0x200E),  # bidi marks; U+200F is kept, Hebrew and Arabic need it
    range(0x202A, 0x202F),  # bidi embeddings and overrides
    range(0x2066, 0x2070),  # bidi isolates, deprecated format characters
    (0x180E, 0x200B, 0xFEFF),  # no width at all, and no joiners
    range(0x2060, 0x2066),  # word joiner, invisible operators
    range(0xD800, 0xE000),  # surrogates, which UTF-8 can't carry
    range(0xFFF9, 0xFFFC),  # interlinear annotations
    range(0xE0000, 0xE0080),  # tags
    range(0xFDD0, 0xFDF0),  # noncharacters, here and in the last two places of each plane
    (plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
)
# Source: Unicode Technical Report #36 (security considerations), the Unicode Standard's sections
# 23.1 (control codes), 23.2 (layout controls), 23.7 (noncharacters), 23.8 (specials), 23.9 (tags).

_SHOWN_AS = (
    {code: chr(0x2400 + code) for code in range(0x20)}  # C0 controls: their pictures
    | {ord("\t"): " " * 4, 0x7F: "␡", 0x2028: "␤", 0x2029: "␤"}
    | dict.fromkeys(_UNSHOWABLE, "\N{REPLACEMENT CHARACTER}")
)


def safe(text: str) -> str:
    """One line of text that does no harm on any terminal.

    A control character becomes its picture (a line feed ``␊``, an escape ``␛``), a tab four spaces,
    a line or paragraph separator ``␤``, and whatever else could move the cursor, turn the direction
    of writing, hide something or fail to be encoded becomes U+FFFD. All scripts, emoji, joiners and
    the no-break space are kept.

    Args:
        text: Any text. Clean text is returned as it is, in a fraction of a microsecond.

    Returns:
        The text to show; made safe again it stays the same.
    """
    # What is to be replaced is not printable in Python's eyes; the test costs a tenth of replacing.
    return text if text.isprintable() else text.translate(_SHOWN_AS)


_FORMATTING = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
"""IRC's formatting: two sorts of colours with their numbers, and signs of one character.

Source: modern.ircdocs.horse/formatting.
"""


def unformatted(text: str) -> str:
    """The same as `safe`, without IRC's formatting, which a terminal can't show and nobody wants to see as pictures."""
    return text if text.isprintable() else _FORMATTING.sub("", text).translate(_SHOWN_AS)


def shown_as(*, kept: str, dropped: str) -> dict[int, str | None]:
    """The table by which `safe` replaces characters (`str.translate`), changed for other readers than terminals.

    Args:
        kept: Characters that are shown as they are.
        dropped: Characters that are left out.
    """
    table: dict[int, str | None] = {code: shown for code, shown in _SHOWN_AS.items() if chr(code) not in kept}
    return table | dict.fromkeys(map(ord, dropped))


def _json_escape(code: int) -> str:
    units = chr(code).encode("utf-16-be", "surrogatepass").hex(" ", 2)
    return "\\u" + units.replace(" ", "\\u")


_JSON_ESCAPES = {code: _json_escape(code) for code in _SHOWN_AS if code >= 0x20}


def json_safe(json_text: str) -> str:
    r"""The same JSON, harmless on any terminal and one line for any reader.

    What `safe` would replace is written as ``\uXXXX`` (beyond the BMP as a surrogate pair), which
    every JSON parser reads as the same text.

    Args:
        json_text: One line of JSON as ``json.dumps(..., ensure_ascii=False)`` makes it: characters
            below U+0020 are escaped already. Harmless JSON is returned as it is.

    Returns:
        The JSON to send.
    """
    return json_text if json_text.isprintable() else json_text.translate(_JSON_ESCAPES)


def cut(text: str, max_bytes: int) -> str:
    """As much of the beginning of a text as takes at most so many bytes of UTF-8, cut between characters."""
    if len(text) * 4 <= max_bytes:
        return text
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def listing(names: Sequence[str], *, limit: int = 20) -> str:
    """Names as an English sentence has them: ``bob, carol and dave``, ``bob, carol and 37 others``.

    Args:
        names: In the order to show.
        limit: Most names that are written out, at least 1; the rest is counted.

    Returns:
        The list; ``nobody`` if there are no names.
    """
    if not names:
        return "nobody"
    named, others = list(names[:limit]), len(names) - limit
    last = named.pop() if others <= 0 else "1 other" if others == 1 else f"{others} others"
    return f"{', '.join(named)} and {last}" if named else last
