"""Who holds which name, and who is in which room. Pure: the time comes as an argument, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from benchmarks.checker.judge.stays import Stays
    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Names", "Tenure"]

KEPT_SECONDS = 45.0
"""Time for which a lost session is certainly kept, in seconds.

Source: docs/protocol.md: 60 s; less what is seen late here.
"""

GONE_SECONDS = 80.0
"""Time after which a lost session is certainly gone, in seconds. Source: 60 s, and 12 s for a node that died."""

CLOCK_SECONDS = 150.0
"""Time for which the database's clock, set forth or back by a minute, makes leases and sessions longer or shorter.

In seconds. Source: twice a minute, and the lease.
"""

LEAVING_SECONDS = 15.0
"""Time in which others are told that somebody has left, in seconds. Source: a beat, and a node that is cut off."""


@dataclass(slots=True, eq=False)
class Tenure:
    """One holding of a name, by one session.

    Attributes:
        number: In the order of the welcomes.
        name: Which name.
        contested: Whether others want it too.
        rooms: Where the session is.
        connections: Those that are open.
        lost_at: When the last of them was closed; None while one is open.
        lingers: Whether the session is kept when the connection is lost.
        is_leaving: Whether it has said that it leaves a room, or for good, and does not know whether that was heard.
    """

    number: int
    name: str
    contested: bool = False
    rooms: set[str] = field(default_factory=set)
    connections: set[str] = field(default_factory=set)
    lost_at: float | None = None
    lingers: bool = True
    is_leaving: bool = False


class Names:
    """All holdings of names.

    Args:
        verdict: Is told what is wrong.
        stays: Is told when a connection has a name.
        survive: Whether sessions outlive the node that they were at.
    """

    def __init__(self, verdict: Verdict, stays: Stays, *, survive: bool) -> None:
        self._verdict = verdict
        self._stays = stays
        self._survive = survive
        self._count = 0
        self._tenures: list[Tenure] = []
        self._by_connection: dict[str, Tenure] = {}
        self._left_at: dict[str, float] = {}
        self._clock_until = 0.0
        self.resumes = 0

    def clock_jumped(self, now: float) -> None:
        """The database's clock was set forth or back."""
        self._clock_until = now + CLOCK_SECONDS

    def welcomed(
        self,
        connection: str,
        name: str,
        before: Tenure | None,
        now: float,
        *,
        resumed: bool,
        contested: bool = False,
        lingers: bool = True,
    ) -> Tenure:
        """A connection is given a name, or goes on with a session.

        Args:
            connection: Which one.
            name: As the server gives it.
            before: The holding whose token was shown, if one was.
            now: The time.
            resumed: Whether the server says that the session goes on.
            contested: Whether others want the name.
            lingers: Whether the session is kept when the connection is lost.
        """
        tenure = before if resumed else None
        if tenure is None:
            self.denied(connection, before, now)
            self._count += 1
            tenure = Tenure(self._count, name, contested, lingers=lingers)
            self._tenures.append(tenure)
        else:
            self.resumes += 1
            if name != tenure.name:
                told = f"{connection} took up the session of {tenure.name}, and was welcomed as {name}"
                self._verdict.against("resumed-as-another", connection, told)
        tenure.connections.add(connection)
        tenure.lost_at = None
        self._by_connection[connection] = tenure
        self._stays.came(connection, name, now)
        return tenure

    def denied(self, connection: str, before: Tenure | None, now: float) -> None:
        """A connection shows a token, and is not given that session: it gets a new one, or its name is taken."""
        if before is None:
            return
        away = 0.0 if before.lost_at is None else now - before.lost_at
        before.lingers = False
        if self._survive and not before.contested and away < KEPT_SECONDS and now > self._clock_until:
            told = f"{connection} was not given back the session of {before.name}, lost {away:.1f} s ago"
            self._verdict.against("not-resumed", connection, told)

    def entered(self, connection: str, room: str) -> None:
        """A connection's session is in a room."""
        tenure = self._by_connection[connection]
        tenure.rooms.add(room)
        tenure.is_leaving = False

    def leaves(self, connection: str) -> None:
        """A connection says that it leaves a room, or for good; one that is over says nothing."""
        if connection in self._by_connection:
            self._by_connection[connection].is_leaving = True

    def left(self, connection: str, room: str, now: float) -> None:
        """It is told that its session is not in a room any more."""
        tenure = self._by_connection.get(connection)
        if tenure is None:
            return
        tenure.rooms.discard(room)
        self._left_at[tenure.name] = now

    def closed(self, connection: str, now: float, *, leaves: bool, alive_at: float | None = None) -> None:
        """A connection is over.

        Args:
            connection: Which one; one that was never welcomed is of no interest.
            now: The time.
            leaves: Whether the person leaves with it, at once.
            alive_at: When something came over it last; now, if that is not known.
        """
        self._stays.gone(connection, now if alive_at is None else alive_at, now)
        tenure = self._by_connection.pop(connection, None)
        if tenure is None:
            return
        tenure.connections.discard(connection)
        if not tenure.connections:
            tenure.lost_at = now
        if leaves:
            tenure.lingers = False
            self._left_at[tenure.name] = now

    def told_left(self, connection: str, room: str, name: str, now: float) -> None:
        """A connection is told that somebody has left: not somebody who only lost the connection."""
        if now < self._clock_until or now - self._left_at.get(name, -LEAVING_SECONDS) < LEAVING_SECONDS:
            return
        suspects = [one for one in self._tenures if one.name == name and _is_kept(one)]
        if any(self._must_be_in(room, one, now) for one in suspects):
            where = [sorted(one.connections) for one in suspects]
            told = f"{connection} was told that {name} left #{room}, which did not: it is at {where}"
            self._verdict.against("told-to-have-left", (name, room, round(now)), told)

    def doubled(self) -> str:
        """Which names are at two connections, in a sentence; "" if none is. At rest none may be."""
        holders: dict[str, list[str]] = {}
        for connection, tenure in self._by_connection.items():
            holders.setdefault(tenure.name, []).append(f"{connection} (tenure {tenure.number})")
        return "; ".join(
            f"{name} is held by {' and '.join(connections)}, all of them open"
            for name, connections in holders.items()
            if len(connections) > 1
        )

    def trouble(self, room: str, rosters: Mapping[str, Collection[str]], now: float) -> str:
        """What is wrong with a room's members, as nodes list them and connections were told; "" if nothing is."""
        wanted = {tenure.name for tenure in self._tenures if self._must_be_in(room, tenure, now)}
        allowed = wanted | {tenure.name for tenure in self._tenures if self._may_be_in(room, tenure, now)}
        faults = []
        concerned: set[str] = set()
        for node, names in rosters.items():
            missing, wrong = sorted(wanted - set(names)), sorted(set(names) - allowed)
            concerned |= {*missing, *wrong}
            if missing or wrong or len(set(names)) != len(names):
                faults.append(f"{node} lacks {missing} and has {wrong} too many of {len(names)}")
        if not faults and len({frozenset(names) for names in rosters.values()}) > 1:
            in_all = set[str].intersection(*(set(names) for names in rosters.values()))
            odd = set[str]().union(*rosters.values()) - in_all
            faults.append(f"they don't agree on {sorted(odd)}")
        where = [f"{one.name} is at {sorted(one.connections)}" for one in self._tenures if one.name in concerned]
        return f"#{room}: {'; '.join(faults + where)}" if faults else ""

    def _must_be_in(self, room: str, tenure: Tenure, now: float) -> bool:
        if room not in tenure.rooms:
            return False
        if tenure.connections:
            return True
        if not (self._survive and _is_kept(tenure) and now > self._clock_until):
            return False
        return tenure.lost_at is not None and now - tenure.lost_at < KEPT_SECONDS

    def _may_be_in(self, room: str, tenure: Tenure, now: float) -> bool:
        if room not in tenure.rooms or tenure.lost_at is None:
            return False
        if now < self._clock_until:
            return now - tenure.lost_at < CLOCK_SECONDS
        return (tenure.lingers or tenure.is_leaving) and now - tenure.lost_at < GONE_SECONDS

    def forget_old(self, now: float) -> None:
        """Drop what can't matter any more."""
        self._tenures = [
            one for one in self._tenures if one.lost_at is None or now - one.lost_at < CLOCK_SECONDS + GONE_SECONDS
        ]


def _is_kept(tenure: Tenure) -> bool:
    """Whether a session is there until it has been away for long."""
    return tenure.lingers and not (tenure.is_leaving or tenure.contested)
