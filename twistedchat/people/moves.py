"""Sessions between two nodes: they count as in their rooms, though no node shows them there just now.

Knows names and rooms. Must not know persons, nor who is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence
    from typing import Protocol

    from twistedchat.people.faces import Roll
    from twistedchat.profiles import Profile

    class Source(Protocol):
        """Who is in rooms on other nodes: `asking.Asking`."""

        def roster(self, rooms: Sequence[str]) -> Awaitable[Sequence[Roll]]:
            """Of each room."""
            ...


__all__ = ["TRIES", "Moves"]

TRIES = 3
"""Most times that rosters are read because somebody has moved meanwhile.

Source: chosen; then somebody may be told to have left and come, which is the truth a moment later.
"""


class Moves:
    """Rosters, as they are read while sessions move.

    Args:
        source: Reads them.
    """

    __slots__ = ("_arrived", "_departures", "_source", "_under_way", "_waiting")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._arrived: dict[str, tuple[Profile, set[str]]] = {}
        self._departures = 0
        self._under_way = 0
        self._waiting: list[Deferred[None]] = []

    @property
    def is_idle(self) -> bool:
        """Whether no session is being asked for."""
        return not self._under_way

    def begin(self) -> None:
        """A session is asked for."""
        self._under_way += 1

    def end(self) -> None:
        """It has come, or has not; what was read before that may lack it."""
        self._under_way -= 1
        self._departures += 1
        if not self._under_way:
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                one.callback(None)

    def arrived(self, name: str, rooms: Iterable[str], profile: Profile) -> None:
        """Somebody has come who is in these rooms, and is not shown in them by this node yet."""
        self._arrived[name] = (profile, set(rooms))

    def left(self, name: str, room: str) -> None:
        """Somebody is in a room no more."""
        if name in self._arrived:
            self._arrived[name][1].discard(room)

    def gone(self, name: str) -> None:
        """A name is nobody's here any more; what was read before that may lack it."""
        self._arrived.pop(name, None)
        self._departures += 1

    async def roster(self, rooms: Sequence[str]) -> Sequence[Roll]:
        """Who is in rooms on other nodes, and who has just come from there; as `Source.roster`.

        Raises:
            StoreError: They can't be read.
        """
        for _ in range(TRIES):
            departures = self._departures
            found = await self._source.roster(rooms)
            if departures == self._departures and self.is_idle:
                break
            await self._settled()
        else:
            found = await self._source.roster(rooms)
        return [roll._replace(people={**roll.people, **self._arrived_in(roll.room)}) for roll in found]

    async def _settled(self) -> None:
        if not self.is_idle:
            settled: Deferred[None] = Deferred()
            self._waiting.append(settled)
            await settled

    def _arrived_in(self, room: str) -> Mapping[str, Profile]:
        return {name: profile for name, (profile, rooms) in self._arrived.items() if room in rooms}
