"""The gate's ruling half: ranks and rules of a room, removing people from it and letting them in.

Knows rooms and the register of persons. Must not know any door, nor how a change is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import clean_name, clean_room
from twistedchat.people.base import Deed, DeedKind
from twistedchat.profiles import source
from twistedchat.records import Amended, RoomRules
from twistedchat.rooms.charter import CLOSING, MAX_CHANGES, RANKS
from twistedchat.rooms.rulings import amend
from twistedchat.rooms.steps import EVERYWHERE, Step, StepKind
from twistedchat.rules import Place
from twistedchat.speaker import Speaker
from twistedchat.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twistedchat.people.base import Hearer
    from twistedchat.profiles import Profile
    from twistedchat.records import Change
    from twistedchat.rooms.room import Room

__all__ = ["MAX_WHY_BYTES", "Ruler"]

MAX_WHY_BYTES = 200
"""Longest reason for a removal, in bytes; the rest is left out. Source: docs/protocol.md, "Limits"."""


class Ruler(Speaker):
    """A person, as one who has a rank in rooms.

    Args:
        hub: The server's state.
        outlet: The connection.
    """

    __slots__ = ()

    def rules(self, name: str) -> RoomRules:
        """The ranks and rules of a room that somebody is in.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``.
        """
        room = self._ruled(name, "who")
        charter = room.charter
        is_told = room.name in self._memberships or "o" in self.profile.modes
        key = charter.key if is_told else "*" if charter.key else ""
        masks = {letter: dict(masks) for letter, masks in charter.masks.items()}
        flags = "".join(sorted(charter.flags))
        return RoomRules(room.name, flags, key, charter.limit, charter.made_at, masks, charter.rank(self.name))

    async def mode(self, name: str, changes: Sequence[Change]) -> Amended:
        """Change ranks and rules of a room.

        Args:
            name: The room's.
            changes: At most `MAX_CHANGES` of them are looked at.

        Returns:
            What was changed, and what could not be.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``, ``not-in-room``, ``not-op``, ``not-stored``; nothing was changed.
        """
        room = self._ruled(name, "mode")
        ready: list[Change] = []
        strangers: list[tuple[Change, ChatError]] = []
        for change in changes[:MAX_CHANGES]:
            try:
                bears = change.letter in RANKS
                ready.append(change._replace(param=await self._member(room, change.param)) if bears else change)
            except ChatError as error:
                strangers.append((change, error))
        amended = await self._amend(room, ready)
        return Amended(room.name, amended.made, [*strangers, *amended.refused])

    async def _amend(self, room: Room, changes: Sequence[Change]) -> Amended:
        """Make changes; the store knows before anybody that the room is closed, and after all that it is open again."""
        name = room.name
        marks = room.charter.is_closed
        if not marks and any(change.sign == "+" and change.letter in CLOSING for change in changes):
            marks = True
            await self._hub.rooms.shut(room, is_shut=True)
        try:
            self._check_still_here()
            # Meanwhile the rank may be gone, or the room.
            room = self._ruled(name, "mode")
            amended = amend(room, changes, self.name, self._now)
            if amended.made:
                self._announce(StepKind.MODE, [room], changes=amended.made)
                self._hub.people.amended(name, amended.made, self.name)
            return amended
        finally:
            if marks and not room.charter.is_closed:
                await self._hub.rooms.shut(room, is_shut=False)

    async def _member(self, room: Room, name: str) -> str:
        """The name of somebody in a room, as it is kept."""
        person = await self._person(name)
        if person.name not in room.presence.names:
            raise ChatError("not-member", f"{person.name} is not in #{room.name}.")
        return person.name

    async def _person(self, name: str) -> Hearer:
        name = clean_name(name)
        person = await self._hub.people.find(name)
        if person is None:
            raise ChatError("not-here", f"There is nobody here called {name}.")
        return person

    async def kick(self, name: str, who: str, why: str = "") -> str:
        """Remove somebody from a room; the same person may come again.

        Returns:
            The name of that person, as it is spelled.

        Raises:
            ChatError: ``bad-room``, ``bad-name``, ``no-such-room``, ``not-in-room``, ``not-op``, ``not-here``,
                ``not-member``.
        """
        room = self._ruled(name, "kick")
        person = await self._person(who)
        self._check_still_here()
        room = self._ruled(room.name, "kick")
        if person.name not in room.presence.names:
            raise ChatError("not-member", f"{person.name} is not in #{room.name}.")
        who = person.name
        await person.undergo(Deed(DeedKind.REMOVE, self.name, room.name, cut(why, MAX_WHY_BYTES)))
        return who

    async def invite(self, who: str, name: str) -> str:
        """Let somebody into a room, once, whatever its rules are; that person is told.

        Returns:
            The name of that person, as it is spelled.

        Raises:
            ChatError: ``bad-room``, ``bad-name``, ``no-such-room``, ``not-in-room``, ``not-op``, ``not-here``,
                ``already-member``.
        """
        room = self._ruled(name, "invite")
        person = await self._person(who)
        self._check_still_here()
        room = self._ruled(room.name, "invite")
        who = person.name
        if who in room.presence.names:
            raise ChatError("already-member", f"{who} is in #{room.name} already.")
        await person.undergo(Deed(DeedKind.INVITE, self.name, room.name))
        if self.name:
            self._announce(StepKind.INVITE, [room], target=who)
        return who

    def set_profile(self, profile: Profile) -> None:
        """Be seen otherwise; who shares a room is told of it."""
        before, self.profile = self.profile, profile
        self._actor = None
        rooms = [room for room, _ in self._memberships.values()]
        if profile.away != before.away:
            self._announce(StepKind.AWAY, rooms, profile.away)
        if profile.real != before.real:
            self._announce(StepKind.SETNAME, rooms, profile.real)
        if self.name:
            self._hub.people.seen_anew(self.name, profile)
            self._hub.people.watching.changed(self.name)

    # -- telling it ------------------------------------------------------------------------------

    @property
    def _now(self) -> int:
        """The time of day, in milliseconds since 1970."""
        return int(self._hub.wall() * 1000)

    def _announce(
        self, kind: StepKind, rooms: Iterable[Room], text: str = "", *, target: str = "", changes: Sequence[Change] = ()
    ) -> None:
        """Tell those in these rooms who are told in steps what the person has just done."""
        told = [room for room in rooms if room.audience.in_steps]
        if told:
            where = "" if kind in EVERYWHERE else told[0].name
            seen = source(self.name, self.profile)
            step = Step(kind, where, self.name, seen, self.profile, text, target, changes=changes, at=self._now)
            self._hub.announcer.step(step, told)

    def _ruled(self, name: str, verb: str) -> Room:
        """The live room of this name, if the verb may be done there."""
        name = clean_room(name)
        room = self._hub.rooms.find(name)
        if room is None or not room.presence.count:
            self._may(verb, Place(name, is_member=False, exists=False))
            raise ChatError("no-such-room", f"There is no room #{name}: join it to open it.")
        # To whom it is hidden its spelling is not told either.
        kept = room.name if self._may_see(room) else name
        self._may(verb, room.place_of(kept, is_member=room.name in self._memberships))
        return room
