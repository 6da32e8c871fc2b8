"""The records of the judge: an event as somebody was shown it, a line, and each time that it was sent."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Event", "Line", "Outcome", "Sending", "mark_of"]


def mark_of(text: str) -> str:
    """The first word of a text: no two lines have the same."""
    return text.partition(" ")[0]


class Event(NamedTuple):
    """What stands in a log, as somebody was shown it.

    Attributes:
        room: The room's name.
        seq: Its place.
        at: In milliseconds since 1970; None where the whole was not shown, as in plain text.
        kind: ``say``, ``me``, ``topic`` or ``notice``.
        who: The sender's name.
        text: The text; in plain text at least its mark is as it was sent.
    """

    room: str
    seq: int
    at: int | None
    kind: str
    who: str
    text: str


class Outcome(enum.Enum):
    """What became of a line that was sent, as its sender was told."""

    UNKNOWN = "unknown"
    STORED = "stored"
    AGAIN = "again"
    REFUSED = "refused"


@dataclass(slots=True)
class Sending:
    """A line, sent once.

    Attributes:
        connection: On which connection.
        tenure: Under which holding of the name.
        ordinal: Its place in the order of all sendings.
        stood_before: Whether it was known to stand already.
        outcome: What the sender was told.
    """

    connection: str
    tenure: int
    ordinal: int
    stood_before: bool
    outcome: Outcome = Outcome.UNKNOWN


@dataclass(slots=True)
class Line:
    """Something that somebody wants to say.

    Attributes:
        room: Where.
        kind: What it is.
        who: Under which name.
        text: It begins with its mark.
        keyed: Whether it has a key, so that it may be sent again.
        sendings: Each time that it was sent.
        seq: Where it stands, as far as somebody was shown it; 0 if nobody was.
        promised: Where it stands, as its sender was told; 0 if it was not.
    """

    room: str
    kind: str
    who: str
    text: str
    keyed: bool
    sendings: list[Sending] = field(default_factory=list)
    seq: int = 0
    promised: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether its sender was told each time that nobody will be shown it."""
        return all(sending.outcome is Outcome.REFUSED for sending in self.sendings)

    def through(self) -> Sending | None:
        """The sending by which it stands, if that is certain."""
        if len(self.sendings) == 1:
            return self.sendings[0]
        return next((sending for sending in self.sendings if sending.outcome is Outcome.STORED), None)
