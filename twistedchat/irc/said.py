"""What somebody says to a room or to a person, as lines of IRC: one, several, or a batch.

Knows how long a line can be, and IRCv3's ``draft/multiline``. Must not know what the tags in front of the lines mean,
nor who is shown them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.events import CTCP, Kind
from twistedchat.irc.message import MAX_LINE_BYTES
from twistedchat.irc.pieces import pieces
from twistedchat.irc.shown import shown, shown_word

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ACTION",
    "BARE",
    "CTCP",
    "Head",
    "Wrap",
    "action_of",
    "fits_always",
    "head_of",
    "marked",
    "said",
    "space_for",
    "too_long",
]

"""Character around what is meant for the client, not for its user. Source: modern.ircdocs.horse/ctcp."""

_SHORT = 250
"""Most bytes of text that fit into a line whoever says it, to whomever.

Source: 510, less 231 for the longest names of a person, a user, a host and a room, and what is between them, less 9 for
an action; and some to spare.
"""

_REMEMBERED = 4096
"""Most beginnings of lines that are kept, each about 400 bytes. Source: those who talk at the same time."""


class Head(NamedTuple):
    """The beginning of a line: who says it, how, and to whom.

    Attributes:
        start: All that stands before the text.
        space_bytes: So many bytes are left for the text.
        short_length: A text of so many characters fits whatever they are.
        source: Who says it, with the colon.
        target: To whom, with its ``#`` if it is a room.
    """

    start: str
    space_bytes: int
    short_length: int
    source: str
    target: str


class Wrap(NamedTuple):
    """What stands around a text: of CTCP, or nothing."""

    opening: str = ""
    closing: str = ""


ACTION = Wrap(f"{CTCP}ACTION ", CTCP)
BARE = Wrap()


@lru_cache(maxsize=_REMEMBERED)
def head_of(source: str, command: str, target: str) -> Head:
    """The beginning of a line: made once for all that somebody says somewhere."""
    source, target = f":{shown_word(source)}", shown_word(target)
    start = f"{source} {command} {target} :"
    space = MAX_LINE_BYTES - len(start.encode())
    return Head(start, space, space // 4, source, target)


def space_for(source: str, kind: Kind, target: str) -> int:
    """How many bytes of text fit into one line as the others are shown it.

    Args:
        source: Who says it, as the others are shown it, without the colon.
        kind: What it is: `Kind.ME` needs some more.
        target: To whom, with its ``#`` if it is a room.
    """
    command = "NOTICE" if kind is Kind.NOTICE else "TOPIC" if kind is Kind.TOPIC else "PRIVMSG"
    space = head_of(source, command, target).space_bytes
    return space - len("".join(ACTION)) if kind is Kind.ME else space


def fits_always(text: str) -> bool:
    """Whether it is known without a look at its speaker that a text fits into one line: as most do."""
    return len(text) <= _SHORT and text.isascii() and text.isprintable()


def too_long(source: str, kind: Kind, target: str, text: str) -> int:
    """0 if a text fits into one line, as it is shown; else how many bytes do."""
    space = space_for(source, kind, target)
    return 0 if len(shown(text).encode()) <= space else space


def action_of(text: str) -> str | None:
    """The text of ``^AACTION text^A``, of which the last ``^A`` may lack; None if it is something else."""
    word, _, rest = text.removesuffix(CTCP).partition(" ")
    return rest if word == f"{CTCP}ACTION" else None


def marked(tags: str) -> str:
    """Tags as they stand in front of a line; "" for none."""
    return f"@{tags} " if tags else ""


def said(head: Head, text: str, wrap: Wrap, *, first: str, rest: str, around: str = "", reference: str = "") -> bytes:
    """A text of any length, as lines.

    Args:
        head: How each line begins.
        text: As it was said.
        wrap: What stands around it.
        first: Tags of the first line.
        rest: Tags of the other lines.
        around: Tags of the line that ends a batch.
        reference: Of the batch, if there are several lines; "" for a reader who knows none.
    """
    return "".join(_lines(head, text, wrap, first, rest, around, reference)).encode()


def _lines(head: Head, text: str, wrap: Wrap, first: str, rest: str, around: str, reference: str) -> Iterator[str]:
    parts = pieces(text, head.space_bytes - len(wrap.opening) - len(wrap.closing))
    if len(parts) == 1 or not reference:
        mark = marked(first)
        for part in parts:
            if part.text or len(parts) == 1:
                yield f"{mark}{head.start}{wrap.opening}{part.text}{wrap.closing}\r\n"
                mark = marked(rest)
        return
    # The wrap is the whole text's, because a client puts the lines together before it looks for one.
    yield f"{marked(first)}{head.source} BATCH +{reference} draft/multiline {head.target}\r\n"
    opening, last = wrap.opening, len(parts) - 1
    for number, part in enumerate(parts):
        concat = ";draft/multiline-concat" if part.goes_on else ""
        closing = wrap.closing if number == last else ""
        yield f"@batch={reference}{concat} {head.start}{opening}{part.text}{closing}\r\n"
        opening = ""
    yield f"{marked(around)}{head.source} BATCH -{reference}\r\n"
