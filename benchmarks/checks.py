"""What a member received, judged: lost, doubled, reordered; and the figures made from samples.

Pure: numbers in, numbers out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Verdict", "judge", "percentile"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What went wrong with the lines that one member was to receive.

    Attributes:
        lost: Lines that never came.
        doubled: Lines that came again, or that this member was not to receive.
        reordered: Lines that came after a later line of the same sender.
    """

    lost: int = 0
    doubled: int = 0
    reordered: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        """Both together."""
        return Verdict(self.lost + other.lost, self.doubled + other.doubled, self.reordered + other.reordered)


def judge(received: Sequence[int], total: int, senders: int, *, ignored: int | None = None) -> Verdict:
    """Judge one member's lines.

    Args:
        received: The numbers of the lines in the order in which they came.
        total: How many were said: 0 to ``total`` - 1, number ``n`` by sender ``n % senders``.
        senders: How many took turns.
        ignored: The sender whose lines this member is not to receive, if there is one.
    """
    unwanted = sum(number % senders == ignored for number in received)
    received = [number for number in received if number % senders != ignored]
    counts = Counter(received)
    latest: dict[int, int] = {}
    reordered = 0
    for number in counts:  # in the order of first coming
        sender = number % senders
        if number < latest.get(sender, -1):
            reordered += 1
        else:
            latest[sender] = number
    return Verdict(
        lost=sum(number not in counts for number in range(total) if number % senders != ignored),
        doubled=len(received) - len(counts) + unwanted,
        reordered=reordered,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share (0 to 1) of the ordered samples lies; NaN if there are none."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
