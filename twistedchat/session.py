"""The gate: one person here, and everything that can be asked for, at whatever door.

Each verb asks `rules.may` first, takes plain values and gives back plain records; no room and no member
leaves it. A verb that may wait is a coroutine, and looks after every wait whether the session still is.
`say` is not (`speaker`): what it accepts is queued at once, in the order of calling, and its receipt is told later.
Must not know any door: what is shown goes to an `Outlet`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import clean_new_name, clean_room
from twistedchat.onlooker import Membership
from twistedchat.people.base import Arrival, DeedKind, Stay
from twistedchat.records import Joined
from twistedchat.rooms import rulings
from twistedchat.rooms.audience import GONE, Member
from twistedchat.ruler import Ruler
from twistedchat.rules import Place
from twistedchat.speaker import lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twistedchat.formats.base import Format
    from twistedchat.hub import Hub
    from twistedchat.people.base import Deed
    from twistedchat.profiles import Profile
    from twistedchat.rooms.room import Room
    from twistedchat.speaker import Listener

__all__ = ["MAX_PARTING_LENGTH", "Session"]

MAX_PARTING_LENGTH = 200
"""Longest parting word, in characters; the rest is left out.

Each room remembers up to 256 of them, and shows them to its members together: with lines of 32 KiB that is 8 MiB a
room. Source: docs/protocol.md, "Limits".
"""

_USUAL_STAY = Stay()
"""How a session stays that is taken up by a random token."""


class Session(Ruler):
    """A person who is here, or about to be.

    Args:
        hub: The server's state.
        outlet: The connection.

    Attributes:
        name: The person's name; "" before `enter`, and after the session has ended.
        token: Takes up the session after its connection was lost; "" for one that can't be.
        stay: How it stays then.
    """

    __slots__ = ("stay", "token")

    def __init__(self, hub: Hub, outlet: Listener) -> None:
        super().__init__(hub, outlet)
        self.token = ""
        self.stay = _USUAL_STAY

    # -- coming and going ------------------------------------------------------------------------

    async def enter(
        self, name: str, *, resumable: bool = False, stay: Stay | None = None, profile: Profile | None = None
    ) -> None:
        """Take a name.

        Args:
            name: What was typed.
            resumable: Whether the session is to outlive its connection, and gets a token.
            stay: How it does, for one that is taken up by a word.
            profile: How the person is seen, without the time.

        Raises:
            ChatError: ``bad-name``, ``name-taken``, ``not-ready``.
        """
        name = clean_new_name(name)
        if stay is not None:
            self.stay, self.arrived = stay, {}
        token = await self._hub.people.claim(name, self, resumable=resumable)
        if self._outlet is None:
            self._hub.people.release(self, name, token)
            raise lost()
        self.name = name
        self.token = token
        self.profile = (profile or self.profile)._replace(since=int(self._hub.wall() * 1000))
        self._actor = None
        self._hub.people.watching.changed(name)

    async def rename(self, name: str) -> None:
        """Take another name.

        Raises:
            ChatError: ``bad-name``, ``name-taken``, ``not-ready``.
        """
        self._may("rename")
        name = clean_new_name(name)
        await self._hub.people.rename(self, name)
        if not self.name:
            # The session has ended meanwhile.
            self._hub.people.release(self, name, "")
            raise lost()
        # Also if it is only lost: whoever takes it up has the name that it is registered with.
        before, self.name = self.name, name
        self.token = self._hub.people.rekey(self)
        for each in (before, name):
            self._hub.people.watching.changed(each)
        self.profile = self.profile._replace(since=int(self._hub.wall() * 1000))
        self._actor = None
        for room, member in self._memberships.values():
            room.charter.renamed(member.name, name)
            room.presence.renamed(member, name)
            self._hub.announcer.changed(room)

    def end(self) -> None:
        """The session is about to be closed, when all that was said is answered: nobody takes it up any more."""
        self._hub.people.revoke(self.token)
        self.token = ""

    def close(self, why: str = "") -> None:
        """Leave every room with a parting word, and give the name back. Closing again does nothing."""
        self._outlet = None
        for name in list(self._memberships):
            self._leave(name, why)
        if self.name:
            self._hub.people.back(self)
            name, self.name = self.name, ""
            self._hub.people.release(self, name, self.token)
            self._hub.people.watching.changed(name)
            self._actor = None

    def lose(self) -> None:
        """The connection is lost: wait to be resumed, or end at once if that can't be."""
        if self.token and self.name:
            self._detach()
            self._hub.people.linger(self)
        else:
            self.close()

    def _detach(self) -> None:
        """Show nothing any more."""
        self._outlet = None
        for _, member in self._memberships.values():
            member.outlet = None
            member.cursor = GONE

    async def arrive(self, arrival: Arrival, format_: Format) -> None:
        """Go on with a session that was lost on another node; nothing of a room is shown until `join`.

        The name is this session's already (`People.adopt`). A room that can't be opened now is entered by the
        `join` that comes.

        Raises:
            ChatError: Another connection has taken the session up meanwhile.
        """
        outlet = self._outlet
        self.name = arrival.name
        self.token = arrival.token
        try:
            for name in arrival.rooms:
                with contextlib.suppress(ChatError):
                    await self._return_to(name, format_)
        except BaseException:
            # The connection is gone; then the session is as any other that has lost it.
            if self._outlet is outlet:
                self.lose()
            raise
        if self._outlet is not outlet:
            raise lost()

    async def _return_to(self, name: str, format_: Format) -> None:
        room = await self._hub.rooms.open(name)
        room.entering -= 1
        if self.name and room.name not in self._memberships:
            room.presence.arrived(self._put(room, format_))
            self._hub.announcer.changed(room)
        self._hub.forget_if_idle(room)

    def evict(self, code: str, text: str, *, is_moved: bool) -> None:
        """The name is somebody else's, or the session goes on at another node: let go of all, and of the connection."""
        outlet = self._outlet
        self._outlet = None
        if is_moved:
            memberships, self._memberships = self._memberships, {}
            for room, member in memberships.values():
                room.presence.departed(member)
                room.audience.remove(member)
                self._hub.forget_if_idle(room)
        self.close()
        if outlet is not None:
            outlet.evicted(code, text)

    async def undergo(self, deed: Deed) -> None:
        """Have done to it what another person does.

        Raises:
            ChatError: ``not-here`` while the connection is lost, ``not-member``.
        """
        outlet = self._outlet
        if deed.kind is DeedKind.REMOVE:
            if deed.room not in self._memberships:
                raise ChatError("not-member", f"{self.name} is not in #{deed.room}.")
            self._leave(deed.room, f"removed by {deed.by}" + (f": {deed.text}" if deed.text else ""))
            if outlet is not None:
                outlet.removed(deed.room, deed.by, deed.text)
        elif outlet is None:
            raise ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")
        else:
            outlet.invited(deed.by, deed.room)

    def notify(self, text: str) -> None:
        """Tell a human a sentence about the server."""
        if self._outlet is not None:
            self._outlet.notify(text)

    def take_up(self, outlet: Listener) -> Listener | None:
        """Go on with another connection; nothing of a room is shown until `join`.

        Returns:
            The connection that the session had, if that was not known to be lost.
        """
        before = self._outlet
        self._detach()
        self._outlet = outlet
        return before

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
        history = self._hub.history if history is None else history
        member.cursor = max(0, seq - history) if after is None else min(after, seq)
        if self.arrived is not None:
            self.arrived.setdefault(room.name, seq if after is None else member.cursor)
        names = room.presence.recent_names
        return Joined(room.name, seq, room.topic, room.presence.count, names, member.cursor == seq)

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
        rulings.entered(room, member, int(self._hub.wall() * 1000))
        self._hub.people.entered(self, room.name)
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
        room, member = self._memberships.pop(name)
        if self.arrived is not None:
            self.arrived.pop(name, None)
        why = why[:MAX_PARTING_LENGTH]
        self._actor = None
        room.audience.remove(member)
        room.presence.left(member, why)
        rulings.left(room, member.name)
        self._hub.people.left(self, name, why)
        self._hub.announcer.changed(room)
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
        member = self._membership(name, "since").member
        # Never forward: what was not shown yet is not passed over.
        member.cursor = min(member.cursor, max(0, seq))
        return member.cursor

    def show_all(self) -> None:
        """Bring every room forward, events and presence, as far as the outlet takes it."""
        for room, member in list(self._memberships.values()):
            if GONE < member.cursor < room.seq:
                self._hub.catch_up.bring_forward(room, member)
            room.presence.tell(member)

    @property
    def has_seen_all(self) -> bool:
        """Whether everything that was taken into the session's rooms has been shown to it."""
        return all(member.cursor in (GONE, room.seq) for room, member in self._memberships.values())
