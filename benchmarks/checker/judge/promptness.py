"""In calm times what one is shown, all are shown at once. Pure: the time comes as an argument, in seconds.

A node to which the others' wake-ups don't come still shows everything: its beat finds it, up to two seconds late.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Promptness"]

LATE_SECONDS = 1.0
"""Time after which an event is late, in seconds. Source: half a beat; with three nodes on two cores 0.1 s is usual."""

MOST_LATE = 10
"""Most late deliveries of one node in one calm, in events. Source: a machine that is busy for a moment is no fault."""


class Promptness:
    """Compares when connections are shown the same event.

    Args:
        verdict: Is told what is wrong.
    """

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._since = float("inf")
        self._first: dict[tuple[str, int], float] = {}
        self._late: Counter[str] = Counter()
        self._worst: dict[str, tuple[float, str, int] | tuple[()]] = {}

    def begin(self, now: float) -> None:
        """It is calm from now on: nothing fails."""
        self._since = now

    def shown(self, room: str, seq: int, node: str, now: float, ready_since: float) -> None:
        """A node shows an event.

        Args:
            room: The event's.
            seq: The event's.
            node: Which node.
            now: The time.
            ready_since: Since when the connection is in the room, and reads.
        """
        if now < self._since:
            return
        first = self._first.setdefault((room, seq), now)
        if now - first > LATE_SECONDS and ready_since < self._since:
            self._late[node] += 1
            self._worst[node] = max(self._worst.get(node, ()), (now - first, room, seq))

    def end(self, *, lag: float = 0.0) -> None:
        """It is not calm any more.

        Args:
            lag: How late the machine was for us, in seconds; on one that is too busy nothing is late.
        """
        for node, late in self._late.items():
            if late > MOST_LATE and lag < LATE_SECONDS / 5:
                told = f"node {node} showed {late} events {LATE_SECONDS:g} s or more behind another one, in calm; "
                told += f"the worst: {self._worst[node]}"
                self._verdict.against("late", (node, self._since), told)
        self._since = float("inf")
        self._first.clear()
        self._late.clear()
        self._worst.clear()
