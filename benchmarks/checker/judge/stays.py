"""When somebody of a name was connected, as far as that can be known. Pure: times are arguments, in seconds."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Stays"]

NOTICED_SECONDS = 1.0
"""Time in which a node notices that a connection has ended, in seconds, unless it is stopped. Source: chosen."""

STOP_SECONDS = 5.0
"""Time in which a node that was stopped has done all that waited, in seconds. Source: chosen."""

KEPT_SECONDS = 60.0
"""Time after which nobody asks for a stay any more, in seconds. Source: private lines are judged at each rest."""

Span: TypeAlias = "tuple[float, float]"
"""From when to when."""


class Stays:
    """Connections and their names, in time."""

    def __init__(self) -> None:
        self._coming: dict[str, tuple[str, float]] = {}
        self._open: dict[str, tuple[str, float]] = {}
        self._past: dict[str, list[Span]] = {}
        self._tries: dict[str, list[Span]] = {}
        self._stops: list[Span] = []

    def comes(self, connection: str, name: str, now: float) -> None:
        """A connection asks for a name; whether the server gives it is heard later, or never."""
        self._coming[connection] = name, now

    def came(self, connection: str, name: str, now: float) -> None:
        """A connection is welcome under a name."""
        self._open[connection] = name, now

    def gone(self, connection: str, alive_at: float, now: float) -> None:
        """A connection is over.

        Args:
            connection: Which one.
            alive_at: When something came last: since then it may have been lost, with what was written to it.
            now: The time.
        """
        for here in (self._coming, self._open):
            if connection in here:
                name, since = here.pop(connection)
                self._tries.setdefault(name, []).append((since, now))
                if here is self._open:
                    self._past.setdefault(name, []).append((since, alive_at))

    def node_stops(self, now: float, seconds: float) -> None:
        """A node is stopped for so long, and notices nothing meanwhile: what it saw last counts a while longer."""
        self._stops.append((now, now + seconds + STOP_SECONDS))

    def was_here(self, name: str, since: float, until: float, late: float = 0.0) -> bool | None:
        """Whether somebody of this name had one connection open all the time; None if that can't be said.

        Args:
            name: The name.
            since: From when.
            until: To when.
            late: How much later than usual a node may notice something, on a machine that is busy, in seconds.
        """
        spans = self._spans(name, self._past, self._open)
        if any(start <= since and end >= until for start, end in spans):
            return True
        spans += self._spans(name, self._tries, self._coming) + self._stops
        return None if any(start <= until and end >= since - NOTICED_SECONDS - late for start, end in spans) else False

    @staticmethod
    def _spans(name: str, past: dict[str, list[Span]], now: dict[str, tuple[str, float]]) -> list[Span]:
        return [*past.get(name, ()), *((since, float("inf")) for one, since in now.values() if one == name)]

    def forget_old(self, now: float) -> None:
        """Drop what can't matter any more."""
        for spans in (self._past, self._tries):
            for name, old in spans.items():
                spans[name] = [span for span in old if now - span[1] < KEPT_SECONDS]
        self._stops = [span for span in self._stops if now - span[1] < KEPT_SECONDS]
