"""Who is in this node's rooms on other nodes: read when a wake-up or the beat says that it has changed.

Knows rooms by name, and versions. Must not know persons, nor who is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twistedchat.people.faces import Faces
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.people.base import Home
    from twistedchat.people.moves import Source
    from twistedchat.profiles import Profile

    Pair = tuple[str, str]
    Roster = tuple[int, Mapping[str, Profile]]
    """A version, and by name how people are seen."""
    Hint = tuple[str, Sequence[Pair], Sequence[Pair]]
    """A room, who was renamed in it, and who left it with which words."""

__all__ = ["GATHER_SECONDS", "LARGE_SECONDS", "MAX_HINTS", "Rosters"]

GATHER_SECONDS = 0.05
"""Delay before rosters that have changed are read, in seconds: what changes meanwhile is read along.

Source: as `changes.GATHER_SECONDS`.
"""

LARGE_SECONDS = 1.0
"""Delay in which a node reads at most `_NAMES_A_SECOND` names, in seconds. Source: `rooms.announce` tells large rooms
the count once a second."""

_NAMES_A_SECOND = 20_000
"""Most names that are read in a second, so that a crowd that comes in does not cost its square.

Source: 20,000 names take the database 15 ms and this node 10 ms.
"""

MAX_HINTS = 256
"""Most renames and parting words that are kept until a roster is read. Source: as `rooms.presence` remembers."""


class Rosters:
    """Reads rosters, and hands them on.

    Args:
        source: Reads them.
        clock: For delays.

    Attributes:
        faces: How those are seen who are in this node's rooms on other nodes.
        versions: Of the rosters of this node's rooms.
    """

    __slots__ = (
        "_clock",
        "_glimpsed",
        "_hints",
        "_home",
        "_is_closed",
        "_log",
        "_looking",
        "_source",
        "_stale",
        "_timer",
        "faces",
        "versions",
    )

    def __init__(self, source: Source, clock: IReactorTime) -> None:
        self._source = source
        self._clock = clock
        self._home: Home
        self.faces = Faces()
        self.versions: dict[str, int] = {}
        self._stale: dict[str, None] = {}
        self._hints: list[Hint] = []
        self._timer: IDelayedCall | None = None
        self._glimpsed: tuple[str, Collection[str]] = ("", ())
        self._is_closed = False
        # Rooms that are to be looked at, and who waits for each; None if none is being looked at.
        self._looking: dict[str, list[Deferred[Roster]]] | None = None
        self._log = Logger()

    def open(self, home: Home) -> None:
        """Hand on to this server from now on."""
        self._home = home

    def close(self) -> None:
        """Read nothing any more."""
        self._is_closed = True
        # While rosters are read, it is one that was called.
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    async def look(self, room: str) -> Mapping[str, Profile]:
        """Who is in a room on other nodes, and how each is seen; if it is this node's too, it is watched from now on.

        Raises:
            StoreError: It can't be read.
        """
        watched = room in self.versions
        self.versions.setdefault(room, -1)
        try:
            version, people = await self._look(room)
        except BaseException:
            if not watched:
                self.versions.pop(room, None)
            raise
        self.versions[room] = version
        self.faces.set(room, people)
        return people

    async def _look(self, room: str) -> Roster:
        """Its version and people. While one statement is under way, what is asked waits, and is the next one."""
        found: Deferred[Roster] = Deferred()
        if self._looking is not None:
            self._looking.setdefault(room, []).append(found)
        else:
            self._looking = {room: [found]}
            Deferred.fromCoroutine(self._look_at_all()).addErrback(
                lambda failure: self._log.failure("Rosters could not be looked at", failure)
            )
        return await found

    async def _look_at_all(self) -> None:
        try:
            while self._looking:
                looking, self._looking = self._looking, {}
                try:
                    rosters = await self._source.roster(list(looking))
                except StoreError as error:
                    _answer(looking, dict.fromkeys(looking, Failure(error)))
                else:
                    _answer(looking, {room: (version, people) for room, version, people in rosters})
        finally:
            self._looking = None

    def glimpse(self, room: str) -> Collection[str]:
        """Who was in a room when it was read last; the room glimpsed last is watched without being this node's."""
        if self._glimpsed[0] != room:
            self._glimpsed = (room, ())
            self.changed([room])
        return self._glimpsed[1]

    def heard(self, rooms: Iterable[str], renamed: Sequence[Pair], left: Sequence[tuple[str, str, str]]) -> None:
        """Another node has changed rosters; with what can't be seen from who is there."""
        for room in rooms:
            if room in self.versions or room == self._glimpsed[0]:
                words = [(name, why) for where, name, why in left if where == room]
                if (renamed or words) and len(self._hints) < MAX_HINTS:
                    self._hints.append((room, renamed, words))
                self.changed([room])

    def changed(self, rooms: Iterable[str]) -> None:
        """Rosters are to be read, soon."""
        self._stale.update(dict.fromkeys(rooms))
        if self._stale and self._timer is None and not self._is_closed:
            self._timer = self._clock.callLater(GATHER_SECONDS, self._read)

    def watch_only(self, rooms: Collection[str]) -> None:
        """Forget all others."""
        self.versions = {room: version for room, version in self.versions.items() if room in rooms}
        self.faces.keep_only(self.versions)

    def _read(self) -> None:
        Deferred.fromCoroutine(self._read_all()).addErrback(self._failed).addCallback(self._rest)

    def _failed(self, failure: Failure) -> int:
        self._log.failure("Rosters could not be read", failure)
        return 0

    def _rest(self, count: int) -> None:
        """Read the next ones after a pause, which is longer if so many names were read."""
        if not self._is_closed:
            pause = max(GATHER_SECONDS, LARGE_SECONDS * count / _NAMES_A_SECOND)
            self._timer = self._clock.callLater(pause, self._rested)

    async def _read_all(self) -> int:
        """Read what has changed; how many names that were."""
        stale, self._stale = self._stale, {}
        hints, self._hints = self._hints, []
        asked = [room for room in stale if room in self.versions or room == self._glimpsed[0]]
        count = 0
        try:
            for room, version, people in await self._source.roster(asked) if asked else ():
                count += len(people)
                self._take_in(room, version, people, hints)
        except StoreError:
            # The beat finds out what is still to be read.
            pass
        return count

    def _take_in(
        self,
        room: str,
        version: int,
        people: Mapping[str, Profile],
        hints: Sequence[tuple[str, Sequence[Pair], Sequence[Pair]]],
    ) -> None:
        if room == self._glimpsed[0]:
            self._glimpsed = (room, people)
        if room in self.versions:
            self.versions[room] = version
            anew = self.faces.set(room, people)
            renamed = [pair for where, pairs, _ in hints if where == room for pair in pairs]
            left = [pair for where, _, pairs in hints if where == room for pair in pairs]
            self._home.set_others(room, people, renamed=renamed, left=left)
            for name, before, now in anew:
                self._home.seen_anew(name, before, now, self.faces.rooms_of(name))

    def _rested(self) -> None:
        if self._stale:
            # The timer that was called stays: what changes meanwhile waits for the end of this.
            self._read()
        else:
            self._timer = None


def _answer(looking: dict[str, list[Deferred[Roster]]], answers: Mapping[str, Roster | Failure]) -> None:
    for room, waiting in looking.items():
        for found in waiting:
            # Whoever waited may be gone.
            if not found.called:
                found.callback(answers[room])
