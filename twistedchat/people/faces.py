"""What other nodes have of a room; and how people there are seen who share one with somebody here.

Pure. Knows rooms by name. Must not know where it is read from, nor who is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twistedchat.records import Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from twistedchat.profiles import Profile

__all__ = ["Faces", "Roll"]


class Roll(NamedTuple):
    """A room, as the other nodes have it.

    Attributes:
        room: Its name.
        version: Grows with each change.
        people: Who is in it on other nodes, and how each is seen.
        standing: Its ranks and rules.
    """

    room: str
    version: int
    people: Mapping[str, Profile]
    standing: Standing = Standing({}, ())


class Faces:
    """The profiles of others, by name."""

    __slots__ = ("_names", "_profiles", "_rooms")

    def __init__(self) -> None:
        # Those who are in each room.
        self._names: dict[str, frozenset[str]] = {}
        self._profiles: dict[str, Profile] = {}
        # The rooms that each is in.
        self._rooms: dict[str, dict[str, None]] = {}

    def get(self, name: str) -> Profile | None:
        """How somebody is seen; None for somebody who is in none of the rooms."""
        return self._profiles.get(name)

    def everybody(self) -> Iterator[tuple[str, Profile, Collection[str]]]:
        """All of them, and in which of the rooms each is."""
        return ((name, profile, self._rooms[name]) for name, profile in list(self._profiles.items()))

    def rooms_of(self, name: str) -> Collection[str]:
        """In which of the rooms somebody is."""
        return list(self._rooms.get(name, ()))

    def is_shared(self, room: str) -> bool:
        """Whether somebody on another node is in a room."""
        return room in self._names

    def set(self, room: str, people: Mapping[str, Profile]) -> Sequence[tuple[str, Profile, Profile]]:
        """These are in a room.

        Returns:
            Whoever is seen otherwise than before: the name, how it was seen, and how it is.
        """
        before = self._names.pop(room, frozenset())
        if people:
            self._names[room] = frozenset(people)
        for name in before - people.keys():
            del self._rooms[name][room]
            if not self._rooms[name]:
                del self._rooms[name], self._profiles[name]
        for name in people.keys() - before:
            self._rooms.setdefault(name, {})[room] = None
        known = self._profiles
        anew = [(name, known[name], seen) for name, seen in people.items() if known.get(name, seen) != seen]
        known.update(people)
        return anew

    def keep_only(self, rooms: Collection[str]) -> None:
        """Forget all other rooms."""
        for room in [room for room in self._names if room not in rooms]:
            self.set(room, {})
