"""What a person may look at: rooms, who is in them, and what was said there; and what the rules are asked.

The reading half of the gate. Gives back plain records. Must not know any door, nor change anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twistedchat.errors import ChatError
from twistedchat.names import clean_room
from twistedchat.profiles import Profile
from twistedchat.records import Excerpt, Roster
from twistedchat.rooms import listing, rulings
from twistedchat.rooms.audience import GONE
from twistedchat.rooms.charter import Charter
from twistedchat.rules import Actor, Place, may, may_see

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twistedchat.hub import Hub
    from twistedchat.records import Names, RoomEntry
    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.room import Room

__all__ = ["EXCERPT_BYTES", "UNSEEN", "Membership", "Onlooker"]

EXCERPT_BYTES = 64 * 2**10
"""Size limit of a part of the log that is asked for, in bytes of text. Source: as `formats.base.PAGE_BYTES`."""


UNSEEN = Profile("user", "local.ip")
"""Of somebody whose door has said nothing of it."""

ROOMS_A_STEP = 64
"""Rooms that are looked up at once for a list, so that no more topics are read than are shown.

Source: 2 ms of the store; 64 topics of 4 kB are eight answers of 32 KiB.
"""


class Membership(NamedTuple):
    """A room that a session is in, and the session's place among its readers."""

    room: Room
    member: Member


class Onlooker:
    """A person, as one who looks.

    Args:
        hub: The server's state.

    Attributes:
        name: The person's name; "" before it was given.
        arrived: By room, the seq up to which what was shown is known to have arrived; None for somebody who says
            so when it comes back, or never does.
    """

    __slots__ = ("_actor", "_hub", "_memberships", "_seen", "_since", "arrived", "name")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._memberships: dict[str, Membership] = {}
        # What the rules are told, until it changes.
        self._actor: Actor | None = None
        self.name = ""
        # Made when it is asked for: of most people nobody ever asks.
        self._seen: Profile | None = None
        self._since = 0
        self.arrived: dict[str, int] | None = None

    @property
    def profile(self) -> Profile:
        """How the person is seen by others."""
        if self._seen is None:
            self._seen = self._look_at_door()._replace(since=self._since)
        return self._seen

    @profile.setter
    def profile(self, profile: Profile) -> None:
        self._seen = profile

    def _look_at_door(self) -> Profile:
        """How the person is seen, as far as the connection tells."""
        return UNSEEN

    def roster(self, name: str) -> Roster:
        """Who is in a room of exactly this name, or nobody; in a large room the names are those of a second ago."""
        room = self._hub.rooms.get(name)
        if room is not None and not self._may_see(room):
            return Roster(name, 0, ())
        if room is not None:
            return Roster(name, room.presence.count, room.presence.recent_names)
        others = sorted(self._hub.people.glimpse(name))
        return Roster(name, len(others), others)

    async def who(self, name: str) -> Roster:
        """Everybody who is in a room.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``, ``not-readable``, ``not-ready``.
        """
        name, room, _ = await self._look(name, "who")
        if room is None:
            others = sorted(await self._hub.people.who(name))
            return Roster(name, len(others), others)
        return Roster(name, room.presence.count, room.presence.names)

    async def history(self, name: str, *, after: int | None = None, before: int | None = None, limit: int) -> Excerpt:
        """A part of a room's log, at most `EXCERPT_BYTES` long.

        Args:
            name: Of any room.
            after: Only events with a greater seq; the oldest of them come.
            before: Only events with a lesser seq; without ``after`` the newest of them come.
            limit: Most events, at least 1.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``, ``not-readable``.
        """
        name, room, seq = await self._look(name, "history")
        if before is None and after is None:
            before = seq + 1
        read = self._hub.reader.excerpt
        events = await read(name, after=after, before=before, limit=limit, max_bytes=EXCERPT_BYTES)
        return Excerpt(name, room.seq if room else seq, events)

    async def list_rooms(self, after: str = "", *, max_chars: int) -> Sequence[RoomEntry]:
        """The rooms in which somebody is or something was said, by name.

        Args:
            after: Only names greater than this.
            max_chars: With so many characters of names and topics the list ends, though there be more rooms.

        Raises:
            ChatError: ``not-readable``.
        """
        self._may("rooms")
        entries: list[RoomEntry] = []
        chars = 0
        while chars < max_chars:
            known = await self._hub.rooms.stored(after, ROOMS_A_STEP)
            page = listing.by_name(self._hub.rooms, known, after, ROOMS_A_STEP, self._memberships)
            seen = [entry for entry in page if self._may_see(self._hub.rooms.get(entry.name))]
            entries += seen
            chars += sum(len(entry.name) + len(entry.topic) for entry in seen)
            if len(page) < ROOMS_A_STEP:
                break
            after = page[-1].name
        return entries

    async def busiest_rooms(self, *, limit: int) -> Sequence[RoomEntry]:
        """The same, those with the most people first.

        Raises:
            ChatError: ``not-readable``.
        """
        self._may("rooms")
        known = await self._hub.rooms.stored("", limit)
        rooms = [room for room in self._hub.rooms if self._may_see(room)]
        known = [stored for stored in known if self._may_see(self._hub.rooms.get(stored.name))]
        return listing.by_count(rooms, known, limit, self._memberships)

    async def _look(self, name: str, verb: str) -> tuple[str, Room | None, int]:
        """A room that exists: its kept name, itself if it is live, and its last seq."""
        name = clean_room(name)
        room = self._hub.rooms.get(name)
        summary = None
        if room is None:
            summary = await self._hub.rooms.summary(name)
            room = self._hub.rooms.get(summary.name) or (None if summary.seq else self._hub.rooms.find(name))
        exists = room is not None or bool(summary and (summary.seq or summary.members))
        kept = room.name if room else summary.name if summary else name
        is_member = kept in self._memberships
        # To whom it is hidden its spelling is not told either.
        shown = kept if self._may_see(room) else name
        place = room.place_of(shown, is_member=is_member) if room else Place(kept, is_member, exists)
        if room is None and summary and summary.members:
            place = place._replace(charter=await self._charter_elsewhere(kept))
        self._may(verb, place)
        return kept, room, room.seq if room else summary.seq if summary else 0

    async def _charter_elsewhere(self, room: str) -> Charter:
        """Ranks and rules of a room that nobody here is in, but people on other nodes."""
        charter = Charter()
        await self._hub.people.who(room)
        standing = self._hub.people.standing(room)
        if standing is not None:
            rulings.adopt(charter, standing)
        return charter

    async def seq_at(self, name: str, at: int) -> int:
        """The seq of the last event before a time, in a room that the session is in; 0 if there is none.

        Args:
            name: The room's.
            at: Milliseconds since 1970.

        Raises:
            ChatError: ``not-in-room``, ``not-readable``.
        """
        room = self._membership(name, "since").room
        return await self._hub.reader.seq_at(room.name, room.seq, at)

    async def find_time(self, name: str, at: int) -> int:
        """The same, in any room.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``, ``not-readable``.
        """
        name, _, seq = await self._look(name, "history")
        return await self._hub.reader.seq_at(name, seq, at)

    def shown(self) -> dict[str, int]:
        """By room that is shown now: the seq of the last event that was shown."""
        return {name: member.cursor for name, (_, member) in self._memberships.items() if member.cursor != GONE}

    def latest(self) -> dict[str, int]:
        """By room in which something was said: the time of its last event, in milliseconds since 1970."""
        return {name: room.seq_at for name, (room, _) in self._memberships.items() if room.seq}

    def confirm(self, shown: Mapping[str, int]) -> None:
        """What was `shown` at an earlier moment is known to have arrived."""
        arrived = self.arrived
        if arrived is not None:
            arrived.update({room: max(seq, arrived[room]) for room, seq in shown.items() if room in arrived})
            # Unless the log has lost its end meanwhile.
            now = self.shown()
            arrived.update({room: min(seq, now.get(room, seq)) for room, seq in arrived.items()})
            if self.name:
                self._hub.people.confirmed(self.name, arrived)

    def last_seq(self, name: str) -> int:
        """The seq of the last event of a room that the session is in.

        Raises:
            ChatError: ``not-in-room``.
        """
        return self._membership(name, "since").room.seq

    def names_in(self, room: str) -> Names:
        """The names of everybody who is in the room of exactly this name, which the session is in."""
        return self._memberships[room].room.presence.names

    def is_in(self, room: str) -> bool:
        """Whether the session is in the room of exactly this name."""
        return room in self._memberships

    def prefix(self, room: str, name: str, *, is_whole: bool = False) -> str:
        """What stands before somebody's name for the rank in a room: ``@``, ``+`` or "".

        Args:
            room: The room's name.
            name: The person's.
            is_whole: Whether all ranks are told, not the highest alone.
        """
        membership = self._memberships.get(room)
        found = membership.room if membership else self._hub.rooms.find(room)
        rank = found.charter.rank(name) if found is not None else ""
        signs = rank.replace("o", "@").replace("v", "+")
        return signs if is_whole else signs[:1]

    def is_hidden(self, room: str) -> bool:
        """Whether a room is hidden from those who are not in it."""
        found = self._hub.rooms.find(room)
        return found is not None and found.charter.is_hidden

    def shares_room(self, name: str) -> bool:
        """Whether the person of exactly this name is in a room that the session is in, and so is seen there."""
        return any(name in room.presence.names for room, _ in self._memberships.values())

    def away_of(self, name: str) -> str:
        """Why the person of exactly this name is away; "" if that is not so."""
        profile = self._hub.people.profile(name)
        return profile.away if profile else ""

    def barrier(self) -> Callable[[], bool]:
        """Tells later whether all that waits now to be stored in the session's rooms was, and has been shown to it."""
        waiting = {name: room.queue.waiting for name, (room, _) in self._memberships.items() if not room.queue.is_idle}
        due = {name: room.seq for name, (room, _) in self._memberships.items() if name not in waiting}

        def is_through() -> bool:
            for name in list(waiting):
                membership = self._memberships.get(name)
                if membership is None:
                    del waiting[name]
                elif waiting[name].isdisjoint(membership.room.queue.waiting):
                    del waiting[name]
                    due[name] = membership.room.seq
            return not waiting and not any(self._is_behind(name, seq) for name, seq in due.items())

        return is_through

    def _is_behind(self, name: str, seq: int) -> bool:
        membership = self._memberships.get(name)
        return membership is not None and GONE < membership.member.cursor < seq

    # -- rules -----------------------------------------------------------------------------------

    def _may(self, verb: str, place: Place | None = None) -> None:
        may(self._actor or self._actor_now(), verb, place)

    def _may_see(self, room: Room | None) -> bool:
        """Whether the person may know that a room is there; of one that is not live nothing is hidden."""
        if room is None or not room.charter.is_hidden:
            return True
        return may_see(self._actor_now(), room.place_of(room.name, is_member=room.name in self._memberships))

    def _actor_now(self) -> Actor:
        if self._actor is None:
            self._actor = Actor(self.name, len(self._memberships), self)
        return self._actor

    def _find(self, name: str) -> Membership | None:
        """The membership of the room of this cleaned name, or of one that counts as it."""
        room = self._hub.rooms.find(name)
        return self._memberships.get(room.name) if room else None

    def _membership(self, name: str, verb: str) -> Membership:
        """The membership of a room, for a verb that needs one."""
        membership = self._memberships.get(name)
        if membership is None:
            name = clean_room(name)
            membership = self._find(name)
        self._may(verb, membership.room.place if membership else Place(name, is_member=False))
        if membership is None:
            raise ChatError("not-in-room", f"You are not in #{name}: join it first.")
        return membership
