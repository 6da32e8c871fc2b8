"""What is moved from one store to another, and the seams between: a source, a target. Pure.

Knows no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Line", "Room", "Source", "Tally", "Target", "counted"]


class Room(NamedTuple):
    """A room that has events.

    Attributes:
        number: The source's own number for it.
        name: Its name.
        seq: Its head: the seq of its last event.
        at: That event's time, in milliseconds since 1970.
        topic: The seq of the last event that set its topic; 0 if there is none.
        hidden: Up to this seq its log is put away.
    """

    number: int
    name: str
    seq: int
    at: int
    topic: int
    hidden: int


Line: TypeAlias = "tuple[int, int, int, str, str, str, str | None, str]"
"""An event: number of its room, seq, at, kind, who, text, key and tags."""


@dataclass(slots=True)
class Tally:
    """What there is of a room.

    Attributes:
        events: The number of its events.
        keys: How many of them have a key.
        seq: The greatest seq of them.
        at: The latest time of them.
    """

    events: int = 0
    keys: int = 0
    seq: int = 0
    at: int = 0


class Source(Protocol):
    """A log that is read, as it stood at one moment.

    Attributes:
        identity: The log's.
    """

    identity: str

    def rooms(self) -> Sequence[Room]:
        """Those that have events, in the order in which they came to be: of two that look alike the first counts."""
        ...

    def lines(self) -> Iterator[Line]:
        """All events, by the number of their room and by their seq; read as they are asked for."""
        ...


class Target(Protocol):
    """A log without events that is filled, all at once or not at all."""

    def fill(self, identity: str, rooms: Sequence[Room], lines: Iterable[Line]) -> None:
        """Take everything in; it does not stand before `commit`.

        Args:
            identity: The log's from now on.
            rooms: Those of the source.
            lines: Its events.
        """
        ...

    def tallies(self) -> dict[str, Tally]:
        """What was taken in, counted by the store itself, by the room's name."""
        ...

    def commit(self) -> None:
        """From now on it stands."""
        ...


def counted(lines: Iterable[Line], tallies: dict[int, Tally]) -> Iterator[Line]:
    """The same lines; what has passed is counted.

    Args:
        lines: As `Source.lines` gives them.
        tallies: By the number of the room; those that it lacks are added.
    """
    number, tally = None, Tally()
    for line in lines:
        if line[0] != number:
            number = line[0]
            tally = tallies.setdefault(number, Tally())
        tally.events += 1
        tally.seq = line[1]
        tally.at = max(tally.at, line[2])
        if line[6] is not None:
            tally.keys += 1
        yield line
