"""Who is in this node's rooms on other nodes: read when a wake-up or the beat says that it has changed.

Knows rooms by name, and versions. Must not know persons, nor who is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twistedchat.people.faces import Faces
from twistedchat.people.rulebook import Rulebook
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.people.faces import Roll
    from twistedchat.people.home import Home
    from twistedchat.people.moves import Source
    from twistedchat.profiles import Profile
    from twistedchat.records import Change

    Pair = tuple[str, str]
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

_NAMES_A_SECOND = 10_000
"""Most names that are read in a second, so that a crowd that comes in does not cost its square.

Source: 20,000 people, with how they are seen, take the database 60 ms and this node 60 to 90 ms.
"""

MAX_HINTS = 256
"""Most renames and parting words that are kept until a roster is read. Source: as `rooms.presence` remembers."""

_log = Logger()


class Rosters:
    """Reads rosters, and hands them on.

    Args:
        source: Reads them.
        clock: For delays.
        rules: Knows which ranks and rules that are read are not out of date.

    Attributes:
        faces: How those are seen who are in this node's rooms on other nodes.
        versions: Of the rosters of this node's rooms.
        rules: As above.
    """

    __slots__ = (
        "_clock",
        "_glimpsed",
        "_hints",
        "_home",
        "_is_closed",
        "_looking",
        "_source",
        "_stale",
        "_timer",
        "faces",
        "rules",
        "versions",
    )

    def __init__(self, source: Source, clock: IReactorTime, rules: Rulebook | None = None) -> None:
        self._source = source
        self._clock = clock
        self._home: Home
        self.faces = Faces()
        self.rules = rules or Rulebook()
        self.versions: dict[str, int] = {}
        self._stale: dict[str, None] = {}
        self._hints: list[Hint] = []
        self._timer: IDelayedCall | None = None
        self._glimpsed: tuple[str, Collection[str]] = ("", ())
        self._is_closed = False
        # Rooms that are to be looked at, and who waits for each; None if none is being looked at.
        self._looking: dict[str, list[Deferred[Roll]]] | None = None

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
            roll = await self._look(room)
        except BaseException:
            if not watched:
                self.versions.pop(room, None)
            raise
        self.versions[room] = roll.version
        self.faces.set(room, roll.people)
        self.rules.looked(roll)
        return roll.people

    async def _look(self, room: str) -> Roll:
        """Its version and people. While one statement is under way, what is asked waits, and is the next one."""
        found: Deferred[Roll] = Deferred()
        if self._looking is not None:
            self._looking.setdefault(room, []).append(found)
        else:
            self._looking = {room: [found]}
            Deferred.fromCoroutine(self._look_at_all()).addErrback(
                lambda failure: _log.failure("Rosters could not be looked at", failure)
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
                    _answer(looking, {roll.room: roll for roll in rosters})
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

    def ruled(self, room: str, by: str, changes: Sequence[Change]) -> None:
        """Ranks and rules of a room were changed, by somebody of this name on another node, or by the server ("")."""
        if room in self.versions:
            self.rules.heard(room, by, changes)
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
        self.rules.keep_only(self.versions)

    def _read(self) -> None:
        Deferred.fromCoroutine(self._read_all()).addErrback(self._failed).addCallback(self._rest)

    def _failed(self, failure: Failure) -> int:
        _log.failure("Rosters could not be read", failure)
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
        begun = self.rules.begin(asked)
        try:
            for roll in await self._source.roster(asked) if asked else ():
                count += len(roll.people)
                self._take_in(roll.room, roll.version, roll.people, hints)
                self._take_rules(roll, begun)
        except StoreError:
            # The beat finds out what is still to be read.
            pass
        return count

    def _take_rules(self, roll: Roll, begun: Mapping[str, int]) -> None:
        if roll.room in self.versions:
            hints = self.rules.read(roll.room, begun)
            if hints is None:
                self.changed([roll.room])
            else:
                self._home.set_rules(roll.room, roll.standing, hints)

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


def _answer(looking: dict[str, list[Deferred[Roll]]], answers: Mapping[str, Roll | Failure]) -> None:
    for room, waiting in looking.items():
        for found in waiting:
            # Whoever waited may be gone.
            if not found.called:
                found.callback(answers[room])
