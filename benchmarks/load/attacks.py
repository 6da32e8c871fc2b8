"""What a peer may do to a server out of ill will or by mistake: bytes and dialects only, no socket and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from benchmarks.dialects import JsonLines, Plain, Step

if TYPE_CHECKING:
    from benchmarks.dialects import Dialect

__all__ = ["ARCHIVE", "ATTACKS", "OWN", "PASTE_LINES", "Attack", "archived"]

ARCHIVE = "archive"
"""The room with long lines that peers ask for."""
OWN = "own"
"""How the name of a room begins in which a peer is alone."""
ARCHIVED_LINES = 500
"""Lines in the archive: the most that one page of history holds. Source: docs/protocol.md, ``history``."""
TEXT_BYTES = 4096
"""Length of each long text, in bytes: the most that is taken. Source: docs/protocol.md."""
FLOOD_BYTES = 1 << 16
"""Short lines that each flooding peer sends at once, in bytes: the most that Twisted reads in one turn.

Source: ``twisted.internet.tcp.Connection.bufferSize``."""
SHORT_LINE = b"hi\n"
"""The short line of a flood. Two letters: CPython has one object only for all equal texts of one byte."""
PASTE_LINES = 20_000
"""Long lines that one peer pastes: 82 MB, so that it lasts some seconds."""


class _Hello(JsonLines):
    """JSON lines of a peer that enters no room on its way in."""

    @override
    def enter(self, name: str, room: str) -> tuple[Step, ...]:
        """Say hello."""
        return super().enter(name, room)[:1]


@dataclass(frozen=True, slots=True)
class Attack:
    """What many peers do, all at the same time.

    Attributes:
        title: What the table calls it.
        dialect: How the peers speak.
        room: Which room they enter; `OWN` is another one for each.
        demand: What each sends when all are in.
        reads: Whether they read what comes.
        most_peers: How many of them there are at the most.
        rate: The daemon's rate limit, as ``--rate`` takes it.
    """

    title: str
    dialect: Dialect
    room: str
    demand: bytes
    reads: bool = False
    most_peers: int = 1_000_000
    rate: str = "0"


def archived(text: bytes = b"w" * TEXT_BYTES) -> bytes:
    """What to send, in JSON lines, to fill the archive with lines of this text."""
    return JsonLines().say(ARCHIVE, text) * ARCHIVED_LINES


ATTACKS = {
    "none": Attack("nobody does anything", Plain(), ARCHIVE, b"", most_peers=1),
    "resume": Attack(
        "join after 0, read nothing", _Hello(), ARCHIVE, b'{"op":"join","room":"%b","after":0}\n' % ARCHIVE.encode()
    ),
    "history": Attack("/history 500, read nothing", Plain(), ARCHIVE, b"/history %d\r\n" % ARCHIVED_LINES),
    "flood": Attack(
        "64 KiB of short lines over the rate",
        Plain(),
        OWN,
        SHORT_LINE * (FLOOD_BYTES // len(SHORT_LINE)),
        rate="20/200",
    ),
    "paste": Attack(
        "one pastes 20,000 lines of 4 kB",
        Plain(),
        OWN,
        (b"w" * TEXT_BYTES + b"\r\n") * PASTE_LINES,
        reads=True,
        most_peers=1,
    ),
}
"""The attacks by the names that a job uses."""
