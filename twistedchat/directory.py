"""What a person may learn of other people: who is in a room with which rank, who somebody is, who was here.

The gate's half that asks for people. Gives back plain records. Must not know any door, nor change anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.masks import matches
from twistedchat.names import clean_name, likenesses
from twistedchat.onlooker import Onlooker
from twistedchat.profiles import Profile, source
from twistedchat.records import Acquaintance, Here, Past

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from twistedchat.rooms.room import Room

__all__ = ["Directory"]

_UNKNOWN = Profile("past", "log")
"""Of somebody of whom nothing but the name is known."""


class Directory(Onlooker):
    """A person, as one who asks for others."""

    __slots__ = ()

    async def people_in(self, name: str) -> tuple[str, Sequence[Here]]:
        """A room's name as it is kept, and everybody who is in it.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``, ``not-readable``, ``not-ready``.
        """
        roster = await self.who(name)
        room = self._hub.rooms.get(roster.room)
        return roster.room, [self._here(room, one) for one in roster.names]

    def _here(self, room: Room | None, name: str) -> Here:
        rank = room.charter.rank(name) if room is not None else ""
        return Here(name, self._hub.people.profile(name) or _UNKNOWN, rank)

    async def acquaintance(self, name: str) -> Acquaintance:
        """Who somebody is, and in which rooms, as far as the one who asks may know.

        Raises:
            ChatError: ``bad-name``, ``not-here``, ``not-ready``.
        """
        name = clean_name(name)
        found = await self._hub.people.find(name)
        if found is None or not found.name:
            raise ChatError("not-here", f"There is nobody here called {name}.")
        name = found.name
        rooms = [
            (room.name, room.charter.rank(name))
            for room in (self._hub.rooms.get(one) for one in getattr(found, "rooms", ()))
            if room is not None and self._may_see(room)
        ]
        spoke_at = getattr(found, "spoke_at", 0)
        profile = self._hub.people.profile(name) or getattr(found, "profile", None) or _UNKNOWN
        return Acquaintance(name, profile, rooms, spoke_at)

    def people_like(self, mask: str) -> Iterator[Here]:
        """People whose name, or ``name!user@host``, a mask matches; those who want to be found by nobody are left out.

        Args:
            mask: With ``*`` and ``?``.
        """
        people = self._hub.people
        here = ((person.name, person.profile, person.rooms) for person in people.everybody())
        for name, profile, rooms in (*here, *people.neighbours()):
            if self._may_find(name, profile, rooms) and self._is_like(name, profile, mask):
                yield Here(name, profile, "")

    @staticmethod
    def _is_like(name: str, profile: Profile, mask: str) -> bool:
        return matches(mask, name) or matches(mask, source(name, profile))

    def _may_find(self, name: str, profile: Profile, rooms: Iterable[str]) -> bool:
        if "i" not in profile.modes or name == self.name or "o" in self.profile.modes:
            return True
        return not self._memberships.keys().isdisjoint(rooms)

    def who_was(self, name: str, limit: int) -> Sequence[Past]:
        """Those who had this name and are gone, the latest first; of the last thousand who went."""
        wanted = set(likenesses(name))
        found = [one for one in reversed(self._hub.people.past) if not wanted.isdisjoint(likenesses(one.name))]
        return found[:limit] if limit > 0 else found
