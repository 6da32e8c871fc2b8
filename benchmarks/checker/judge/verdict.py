"""What was found against the promises. Pure: counts and sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

__all__ = ["MOST_IN_FULL", "Verdict"]

MOST_IN_FULL = 20
"""Most violations of one kind that are told in full; the others are counted. Source: chosen; a screen."""


class Verdict:
    """All violations, by kind.

    Args:
        overlooked: Kinds that are known, and not counted.
        say: Shows each one when it is found.

    Attributes:
        counts: How many there are of each kind.
        told: The first of each kind in full.
    """

    def __init__(self, overlooked: Sequence[str] = (), say: Callable[[str], None] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.told: dict[str, list[str]] = {}
        self._overlooked = frozenset(overlooked)
        self._say = say
        self._seen: set[tuple[str, Hashable]] = set()

    def against(self, kind: str, subject: Hashable, evidence: str) -> None:
        """A promise is broken.

        Args:
            kind: Which one, in a word or two.
            subject: What it is about; the same kind about the same subject counts once.
            evidence: A sentence with all that is known.
        """
        if kind in self._overlooked or (kind, subject) in self._seen:
            return
        self._seen.add((kind, subject))
        self.counts[kind] += 1
        told = self.told.setdefault(kind, [])
        if len(told) < MOST_IN_FULL:
            told.append(evidence)
            if self._say is not None:
                self._say(f"{kind}: {evidence}")
