"""The gate's half for rooms: entering and leaving them, and how far each has been shown.

Knows rooms and the session's place in them. Must not know any door: what is shown goes to an `Outlet`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import clean_room
from twistedchat.onlooker import Membership
from twistedchat.overseer import Overseer
from twistedchat.records import Joined
from twistedchat.rooms import rulings
from twistedchat.rooms.audience import GONE, Member
from twistedchat.rooms.charter import MAX_INVITED
from twistedchat.rooms.steps import Step, StepKind
from twistedchat.ruler import MAX_WHY_BYTES
from twistedchat.rules import Place
from twistedchat.speaker import lost
from twistedchat.stores.base import StoreError
from twistedchat.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twistedchat.formats.base import Format
    from twistedchat.hub import Hub
    from twistedchat.records import Change
    from twistedchat.rooms.room import Room
    from twistedchat.speaker import Listener

__all__ = ["MAX_PARTING_LENGTH", "SHOWN_SECONDS", "Visitor"]

SHOWN_SECONDS = 0.01
"""Delay after which a door looks again whether lines are still being shown, in seconds.

Source: chosen; a batch is shown to a room of 1,000 in some 8 ms.
"""

MAX_PARTING_LENGTH = 200
"""Longest parting word, in characters; the rest is left out.

Each room remembers up to 256 of them, and shows them to its members together: with lines of 32 KiB that is 8 MiB a
room. Source: docs/protocol.md, "Limits".
"""


class Visitor(Overseer):
    """A person, as one who is in rooms.

    Args:
        hub: The server's state.
        outlet: The connection.
    """

    __slots__ = ("_invited",)

    def __init__(self, hub: Hub, outlet: Listener) -> None:
        super().__init__(hub, outlet)
        self._invited: dict[str, str] = {}

    def _invited_to(self, room: str) -> None:
        """Somebody has invited the person, as it is called now, to a room that nobody here is in."""
        if len(self._invited) < MAX_INVITED:
            self._invited[room] = self.name

    # -- rooms -----------------------------------------------------------------------------------

    @property
    def rooms(self) -> Iterator[str]:
        """The names of the rooms that the session is in, in the order of entering."""
        return iter(self._memberships)

    def find(self, name: str) -> str | None:
        """The room that the session is in and that this name counts as, as it is spelled; None if there is none.

        Raises:
            ChatError: ``bad-room``.
        """
        found = self._find(clean_room(name))
        return found.room.name if found else None

    def topic(self, room: str) -> str:
        """What a room that the session is in is about, or "".

        Raises:
            ChatError: ``not-in-room``.
        """
        return self._membership(room, "since").room.topic

    async def topic_setter(self, room: str) -> tuple[str, int] | None:
        """Who has set the topic of a room that the session is in, and when (milliseconds since 1970); None if unknown.

        Raises:
            ChatError: ``not-in-room``.
        """
        place = self._membership(room, "since").room
        if not place.topic_seq:
            return None
        try:
            events = await self._hub.reader.page(place.name, after=place.topic_seq - 1, limit=1, max_bytes=1)
        except StoreError:
            return None
        return (events[0].who, events[0].at) if events and events[0].seq == place.topic_seq else None

    async def join(
        self, name: str, format_: Format, *, after: int | None = None, key: str = "", history: int | None = None
    ) -> Joined:
        """Enter a room, or set the cursor anew in one that the session is in.

        Nothing is shown before `show_all` is called.

        Args:
            name: The room's name, with or without ``#``.
            format_: How the room is shown.
            after: Show everything after this seq, at least 0; None shows the last few events.
            key: The room's, where it has one.
            history: How many these few are; None for as many as the operator has chosen.

        Raises:
            ChatError: ``bad-room``, ``too-many-rooms``, ``banned``, ``wrong-key``, ``invite-only``, ``room-full``,
                ``not-readable``.
        """
        room = await self._open(clean_room(name), after or 0, key)
        seq = room.seq
        membership = self._memberships.get(room.name)
        if membership is None:
            member = self._admit(room, format_)
        else:
            member = membership.member
            member.outlet = self._outlet
            room.audience.reformat(member, format_)
            room.presence.introduce(member)
        history = self._hub.chosen.history if history is None else history
        member.cursor = max(room.floor, seq - history) if after is None else max(room.floor, min(after, seq))
        if self.arrived is not None and room.name not in self.arrived:
            self.arrived[room.name] = seq if after is None else member.cursor
            self._hub.people.confirmed(self.name, self.arrived)
        names = room.presence.names_for(member)
        return Joined(room.name, seq, room.topic, room.presence.count, names, member.cursor == seq, room.seq_at)

    async def _open(self, name: str, seq: int, key: str) -> Room:
        """A room to enter, if that may be; taken forward to a seq that was shown already, perhaps by another node."""
        self._may("join", Place(name, is_member=self._find(name) is not None))
        outlet = self._outlet
        room = await self._hub.rooms.open(name)
        try:
            await self._hub.reach(room, seq)
            self._check_still_here()
            if self._outlet is not outlet:
                # Taken up meanwhile: the connection that goes on with it has not asked for this.
                raise lost()
            if self._hub.rooms.is_ending(room):
                raise ChatError("not-readable", f"The last member has just left #{room.name}: join it again.")
            if self._invited.pop(room.name, "") == self.name:
                room.charter.invite(self.name, self.profile.since)
            self._may("join", room.place_of(room.name, is_member=room.name in self._memberships, key=key))
        except BaseException:
            room.entering -= 1
            self._hub.forget_if_idle(room)
            raise
        room.entering -= 1
        return room

    def _admit(self, room: Room, format_: Format) -> Member:
        member = self._put(room, format_)
        room.presence.joined(member)
        rank = rulings.entered(room, member, self._now)
        self._hub.people.entered(self, room.name)
        if rank is not None:
            self._hub.people.amended(room.name, [rank], "")
        self._announce(StepKind.JOIN, [room])
        self._hub.announcer.changed(room)
        return member

    def _put(self, room: Room, format_: Format) -> Member:
        """A member of a room that is shown nothing yet."""
        member = Member(self.name, self._outlet, format_)
        self._actor = None
        self._memberships[room.name] = Membership(room, member)
        room.audience.add(member)
        return member

    def leave(self, name: str, why: str = "") -> str:
        """Leave a room, with a parting word.

        Returns:
            The room's name as it is spelled.

        Raises:
            ChatError: ``bad-room``, ``not-in-room``.
        """
        room = self._membership(name, "leave").room
        self._leave(room.name, why)
        return room.name

    def _leave(self, name: str, why: str) -> None:
        room, heir = self._let_go(name, why)
        self._announce(StepKind.PART, [room], cut(why, MAX_WHY_BYTES))
        self._left(room, heir)

    def _let_go(self, name: str, why: str) -> tuple[Room, Change | None]:
        """Be no more in a room, which is still to be told in steps; and who has its rank now."""
        room, member = self._memberships.pop(name)
        if self.arrived is not None:
            self.arrived.pop(name, None)
        why = why[:MAX_PARTING_LENGTH]
        self._actor = None
        room.audience.remove(member)
        room.presence.left(member, why)
        heir = rulings.left(room, member.name)
        if not room.presence.count and room.charter.is_closed:
            self._hub.rooms.end(room)
        self._hub.people.left(self, name, why)
        self._hub.announcer.changed(room)
        return room, heir

    def _left(self, room: Room, heir: Change | None) -> None:
        """The others have been told."""
        if heir is not None:
            self._hub.announcer.step(Step(StepKind.MODE, room.name, "", "", None, changes=[heir], at=self._now), [room])
            self._hub.people.amended(room.name, [heir], "")
        self._hub.forget_if_idle(room)

    # -- how far each room has been shown --------------------------------------------------------

    def show_as(self, name: str, format_: Format) -> None:
        """From now on show a room that the session is in another way; call `show_all` afterwards."""
        membership = self._memberships[name]
        membership.room.audience.reformat(membership.member, format_)

    def rewind(self, name: str, seq: int) -> int:
        """Set the cursor back: everything after this seq is shown again, by `show_all`.

        Returns:
            The seq after which is shown: less than was asked, if more was still to be shown.

        Raises:
            ChatError: ``not-in-room``.
        """
        room, member = self._membership(name, "since")
        # Never forward: what was not shown yet is not passed over.
        member.cursor = min(member.cursor, max(room.floor, seq))
        return member.cursor

    def show_all(self) -> None:
        """Bring every room forward, events and presence, as far as the outlet takes it."""
        for room, member in list(self._memberships.values()):
            if member.format.in_steps:
                # Whoever speaks was told of before.
                room.presence.tell(member)
            if GONE < member.cursor < room.seq:
                self._hub.catch_up.bring_forward(room, member)
            room.presence.tell(member)

    @property
    def is_being_shown(self) -> bool:
        """Whether lines are just being shown in the session's rooms: perhaps its own, and not to everybody yet."""
        return any(room.queue.is_being_shown for room, _ in self._memberships.values())

    @property
    def has_seen_all(self) -> bool:
        """Whether everything that was taken into the session's rooms has been shown to it, and its lines to all.

        Whoever leaves before is one who has gone, to those who are shown its last line then.
        """
        rooms = self._memberships.values()
        return all(member.cursor in (GONE, room.seq) for room, member in rooms) and not self.is_being_shown
