"""In calm times what one is shown, all are shown at once. Pure: the time comes as an argument, in seconds.

A node to which the others' wake-ups don't come still shows everything: its beat finds it, up to two seconds late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Promptness"]

LATE_SECONDS = 1.0
"""Time after which an event is late, in seconds. Source: half a beat; with three nodes on two cores 0.1 s is usual."""

LAGS = 20
"""Factor by which later a delivery may be where the machine is busy: our own lateness tells. Source: as `rest.LAGS`."""

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
        # By node: how late each delivery was, with its room and seq.
        self._late: dict[str, list[tuple[float, str, int]]] = {}

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
            self._late.setdefault(node, []).append((now - first, room, seq))

    def end(self, *, lag: float = 0.0) -> None:
        """It is not calm any more.

        Args:
            lag: How late the machine was for us, in seconds; on one that is too busy nothing is late.
        """
        limit = LATE_SECONDS + LAGS * lag
        for node, deliveries in self._late.items():
            late = [one for one in deliveries if one[0] > limit]
            if len(late) > MOST_LATE and lag < LATE_SECONDS / 5:
                told = f"node {node} showed {len(late)} events {limit:.1f} s or more behind another one, in calm; "
                told += f"the worst: {max(late)}"
                self._verdict.against("late", (node, self._since), told)
        self._since = float("inf")
        self._first.clear()
        self._late.clear()
