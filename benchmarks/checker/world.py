"""What all clients share: the judge, where the nodes are, and whether one talks at the moment."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.checker.judge.records import Event
from benchmarks.checker.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from benchmarks.checker.judge import Judge

__all__ = ["LONG_ROOMS", "ROOMS", "Client", "World", "event_of"]

ROOMS = ("lobby", "den", "attic")
"""The rooms; whoever comes in at telnet begins in the first."""

LONG_ROOMS = tuple(f"{chr(0x12000) * 22}{number:02}" for number in range(97))
"""Rooms with long names, for programs that are in as many as they may: 90 bytes each."""

_LOOK_SECONDS = 0.05
_REMEMBERED_SECONDS = 60.0


class Client(Protocol):
    """Somebody who talks, and comes back when the connection is lost."""

    @property
    def name(self) -> str:
        """The name now, or the one wanted."""
        ...

    def trouble(self, heads: Mapping[str, int] | None) -> str:
        """What this client still waits for; "" if it has all that it wants.

        Args:
            heads: Up to which seq the log of each room goes; None if that is not asked.
        """
        ...

    def sees(self, room: str) -> tuple[str, Collection[str]] | None:
        """Who is in a room, as this client was told; with the connection. None if it is not in that room."""
        ...

    async def run(self) -> None:
        """Come, talk and come back, until cancelled."""
        ...


@dataclass(slots=True)
class World:
    """Everything that the clients know.

    Attributes:
        judge: Is told all.
        ports: Where the nodes listen.
        talking: Whether new lines are said; else what is under way is finished, and nobody leaves.
        clients: All of them.
        identity: The log's, as the first who was welcomed was told it.
    """

    judge: Judge
    ports: Sequence[int]
    talking: bool = True
    clients: list[Client] = field(default_factory=list)
    identity: str = ""
    _lags: list[tuple[float, float]] = field(default_factory=list)
    _visits: int = 0
    _marks: int = 0

    @property
    def now(self) -> float:
        """A clock that never jumps, in seconds."""
        return asyncio.get_running_loop().time()

    async def watch_machine(self) -> None:
        """Notice when the machine is so busy that we are late ourselves; until cancelled."""
        while True:
            due = self.now + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self._lags = [lag for lag in self._lags if lag[0] > due - _REMEMBERED_SECONDS]
            self._lags.append((self.now, self.now - due))

    def lag(self, since: float) -> float:
        """How late we were ourselves at the worst, since then, in seconds."""
        return max((lag for at, lag in self._lags if at >= since), default=0.0)

    async def visit(self, name: str, node: int) -> Wire:
        """A new connection to a node."""
        self._visits += 1
        return await Wire.connect(self.ports[node], f"{name}/{self._visits}@{'abcdefghij'[node]}", node)

    def told_identity(self, identity: str, source: str) -> None:
        """Somebody is told which log this is: it is one for all."""
        self.identity = self.identity or identity
        if identity != self.identity:
            told = f"{source} is told that the log is {identity}; others were told {self.identity}"
            self.judge.verdict.against("another-log", identity, told)

    def mark(self, name: str) -> str:
        """The first word of a text; it is like no other."""
        self._marks += 1
        return f"{name}:{self._marks}"


def event_of(message: dict[str, Any]) -> Event:
    """An event as a program is shown it."""
    at = datetime.datetime.fromisoformat(message["at"])
    return Event(
        message["room"],
        message["seq"],
        round(at.timestamp() * 1000),
        message["kind"],
        message["who"],
        message["text"],
    )
