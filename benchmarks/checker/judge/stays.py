"""When somebody of a name was connected, as far as that can be known. Pure: times are arguments, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Stays"]

NOTICED_SECONDS = 1.0
"""Time in which a node notices that a connection has ended, in seconds, unless it is stopped. Source: chosen."""

STOP_SECONDS = 5.0
"""Time in which a node that was stopped has done all that waited, in seconds. Source: chosen."""

KEPT_SECONDS = 60.0
"""Time after which nobody asks for a stay any more, in seconds. Source: private lines are judged at each rest."""

_NEVER = float("inf")

Span: TypeAlias = "tuple[float, float]"
"""From when to when."""


@dataclass(slots=True)
class _Stay:
    """One connection.

    Attributes:
        name: Of whom.
        since: When it asked for the name.
        here_since: When it was welcome.
        alive_at: When something came last; since then it may have been lost, with what was written to it.
        gone_at: When it was over.
    """

    name: str
    since: float
    here_since: float = _NEVER
    alive_at: float = _NEVER
    gone_at: float = _NEVER


class Stays:
    """Connections and their names, in time."""

    def __init__(self) -> None:
        self._open: dict[str, _Stay] = {}
        self._past: list[_Stay] = []
        self._stops: list[Span] = []

    def comes(self, connection: str, name: str, now: float) -> None:
        """A connection asks for a name; whether the server gives it is heard later, or never."""
        self._open[connection] = _Stay(name, now)

    def came(self, connection: str, name: str, now: float) -> None:
        """A connection is welcome under a name."""
        stay = self._open.setdefault(connection, _Stay(name, now))
        stay.name, stay.here_since = name, now

    def gone(self, connection: str, alive_at: float, now: float) -> None:
        """A connection is over.

        Args:
            connection: Which one.
            alive_at: When something came last.
            now: The time.
        """
        stay = self._open.pop(connection, None)
        if stay is not None:
            stay.alive_at, stay.gone_at = alive_at, now
            self._past.append(stay)

    def node_stops(self, now: float, seconds: float) -> None:
        """A node is stopped for so long, and notices nothing meanwhile: what it saw last counts a while longer."""
        self._stops.append((now, now + seconds + STOP_SECONDS))

    def was_here(self, name: str, since: float, until: float, late: float = 0.0) -> bool | None:
        """Whether somebody of this name had one connection all the time, and no other; None if that can't be said.

        Of two connections, on two nodes, each may have been the one that counted.

        Args:
            name: The name.
            since: From when.
            until: To when.
            late: How much later than usual a node may notice something, on a machine that is busy, in seconds.
        """
        begin = since - NOTICED_SECONDS - late
        stays = [stay for stay in (*self._past, *self._open.values()) if stay.name == name]
        near = [stay for stay in stays if stay.since <= until and stay.gone_at >= begin]
        if len(near) == 1 and near[0].here_since <= since and near[0].alive_at >= until:
            return True
        is_stopped = any(start <= until and end >= begin for start, end in self._stops)
        return None if near or is_stopped else False

    def forget_old(self, now: float) -> None:
        """Drop what can't matter any more."""
        self._past = [stay for stay in self._past if now - stay.gone_at < KEPT_SECONDS]
        self._stops = [span for span in self._stops if now - span[1] < KEPT_SECONDS]
