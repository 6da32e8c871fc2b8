"""The gate: one person here, and everything that can be asked for, at whatever door.

Each verb asks `rules.may` first, takes plain values and gives back plain records; no room and no member
leaves it. A verb that may wait is a coroutine, and looks after every wait whether the session still is.
`say` is not: what it accepts is queued at once, in the order of calling, and its receipt is told later.
Must not know any door: what is shown goes to an `Outlet`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Draft, Kind
from twistedchat.names import clean_name, clean_new_name, clean_room
from twistedchat.onlooker import Membership, Onlooker
from twistedchat.records import Joined
from twistedchat.rooms.audience import GONE, Member
from twistedchat.rules import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from twistedchat.formats.base import Format
    from twistedchat.hub import Hub
    from twistedchat.people import Person
    from twistedchat.rooms.audience import Outlet
    from twistedchat.rooms.room import Room
    from twistedchat.writer import Receipt

    class Listener(Outlet, Protocol):
        """An outlet that also takes private lines."""

        def show_private(self, sender: Person, text: str, at: int) -> bool:
            """Show a private line, if it is taken now."""
            ...


__all__ = ["MAX_KEY_LENGTH", "MAX_PARTING_LENGTH", "Session", "resume"]

MAX_KEY_LENGTH = 64
"""Longest key of a line, in characters. Source: docs/protocol.md, "Sending again"."""

MAX_PARTING_LENGTH = 200
"""Longest parting word, in characters; the rest is left out.

Each room remembers up to 256 of them, and shows them to its members together: with lines of 32 KiB that is 8 MiB a
room. Source: docs/protocol.md, "Limits".
"""


class Session(Onlooker):
    """A person who is here, or about to be.

    Args:
        hub: The server's state.
        outlet: The connection.

    Attributes:
        name: The person's name; "" before `enter`, and after the session has ended.
        token: Takes up the session after its connection was lost; "" for one that can't be.
    """

    __slots__ = ("_outlet", "token")

    def __init__(self, hub: Hub, outlet: Listener) -> None:
        super().__init__(hub)
        self._outlet: Listener | None = outlet
        self.token = ""

    # -- coming and going ------------------------------------------------------------------------

    async def enter(self, name: str, *, resumable: bool = False) -> None:
        """Take a name.

        Args:
            name: What was typed.
            resumable: Whether the session is to outlive its connection by a minute, and gets a token.

        Raises:
            ChatError: ``bad-name``, ``name-taken``.
        """
        name = clean_new_name(name)
        people = self._hub.people
        await people.claim(name, self)
        if self._outlet is None:
            people.release(self, name, "")
            raise _lost()
        self.name = name
        self._actor = None
        if resumable:
            token = await people.issue_token(self)
            if self._outlet is None:
                people.release(self, name, token)
                raise _lost()
            self.token = token

    async def rename(self, name: str) -> None:
        """Take another name.

        Raises:
            ChatError: ``bad-name``, ``name-taken``.
        """
        self._may("rename")
        name = clean_new_name(name)
        await self._hub.people.rename(self, name)
        if not self.name:
            # The session has ended meanwhile.
            self._hub.people.release(self, name, "")
            raise _lost()
        # Also if it is only lost: whoever takes it up has the name that it is registered with.
        self.name = name
        self._actor = None
        for room, member in self._memberships.values():
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
            self._hub.people.release(self, self.name, self.token)
            self.name = ""
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

    async def join(self, name: str, format_: Format, *, after: int | None = None) -> Joined:
        """Enter a room, or set the cursor anew in one that the session is in.

        Nothing is shown before `show_all` is called.

        Args:
            name: The room's name, with or without ``#``.
            format_: How the room is shown.
            after: Show everything after this seq, at least 0; None shows the last few events.

        Raises:
            ChatError: ``bad-room``, ``too-many-rooms``, ``not-readable``.
        """
        room = await self._open(clean_room(name))
        seq = room.seq
        membership = self._memberships.get(room.name)
        if membership is None:
            member = self._admit(room, format_)
        else:
            member = membership.member
            member.outlet = self._outlet
            room.audience.reformat(member, format_)
            room.presence.introduce(member)
        member.cursor = max(0, seq - self._hub.history) if after is None else min(after, seq)
        names = room.presence.recent_names
        return Joined(room.name, seq, room.topic, room.presence.count, names, member.cursor == seq)

    async def _open(self, name: str) -> Room:
        """A room to enter, if that may be."""
        self._may_join(name, self._find(name) is not None)
        outlet = self._outlet
        room = await self._hub.rooms.open(name)
        try:
            self._check_still_here()
            if self._outlet is not outlet:
                # Taken up meanwhile: the connection that goes on with it has not asked for this.
                raise _lost()
            self._may_join(room.name, room.name in self._memberships)
        except ChatError:
            room.entering -= 1
            self._hub.forget_if_idle(room)
            raise
        room.entering -= 1
        return room

    def _may_join(self, name: str, is_member: bool) -> None:
        self._may("join", Place(name, is_member=is_member))

    def _admit(self, room: Room, format_: Format) -> Member:
        member = Member(self.name, self._outlet, format_)
        self._actor = None
        self._memberships[room.name] = Membership(room, member)
        room.audience.add(member)
        room.presence.joined(member)
        self._hub.announcer.changed(room)
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
        why = why[:MAX_PARTING_LENGTH]
        self._actor = None
        room.audience.remove(member)
        room.presence.left(member, why)
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

    # -- speaking --------------------------------------------------------------------------------

    def say(
        self,
        name: str,
        text: str,
        receipt: Receipt,
        tag: object = None,
        *,
        kind: Kind = Kind.SAY,
        key: str | None = None,
    ) -> None:
        """Have a line stored and then shown to the room.

        Args:
            name: Of a room that the session is in.
            text: 1 to `events.MAX_TEXT_BYTES` bytes of UTF-8; a topic may be empty.
            receipt: Is told what became of the line, once, later.
            tag: Handed to the receipt.
            kind: What it is.
            key: So that the same line sent again stands once.

        Raises:
            ChatError: ``bad-room``, ``not-in-room``, ``empty-text``, ``too-long``, ``bad-key``;
                nothing was submitted.
        """
        room = self._membership(name, kind).room
        _check_text(text, may_be_empty=kind is Kind.TOPIC)
        if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
            raise ChatError("bad-key", f"A key has 1 to {MAX_KEY_LENGTH} characters.")
        draft = Draft(self._hub.draft_id(), room.name, kind, self.name, text, key)
        self._hub.writer.submit(room.queue, draft, receipt, tag)

    async def tell(self, to: str, text: str) -> str:
        """Send a private line.

        Returns:
            The receiver's name, as it is spelled.

        Raises:
            ChatError: ``bad-name``, ``not-here``, ``empty-text``, ``too-long``, ``not-reading``.
        """
        self._may("tell")
        to = clean_name(to)
        person = await self._hub.people.find(to)
        self._check_still_here()
        if person is None:
            raise ChatError("not-here", f"There is nobody here called {to}.")
        _check_text(text)
        await person.hear(self, text, int(self._hub.wall() * 1000))
        return person.name

    async def hear(self, sender: Person, text: str, at: int) -> None:
        """Take a private line.

        Raises:
            ChatError: ``not-here`` while the connection is lost, ``not-reading``.
        """
        if self._outlet is None:
            raise ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")
        if not self._outlet.show_private(sender, text, at):
            raise ChatError("not-reading", f"{self.name} does not read at the moment: try again later.")

    # -- after a wait ----------------------------------------------------------------------------

    def _check_still_here(self) -> None:
        """After a wait: nothing is done for a connection that was lost meanwhile."""
        if self._outlet is None:
            raise _lost()


async def resume(hub: Hub, token: str, outlet: Listener) -> tuple[Session, Listener | None] | None:
    """Take a session up with another connection; nothing of a room is shown until `Session.join`.

    Returns:
        The session, and the connection that it had, if that was not known to be lost; None if there is no
        such session.
    """
    person = await hub.people.resume(token)
    if not isinstance(person, Session) or not person.name:
        return None
    # Not before there is nothing to wait for: whoever asked may be lost meanwhile.
    hub.people.back(person)
    return person, person.take_up(outlet)


def _lost() -> ChatError:
    """Reaches nobody: the connection that it would answer is gone."""
    return ChatError("lost", "The connection was lost.")


def _check_text(text: str, *, may_be_empty: bool = False) -> None:
    # A character is at most four bytes: most lines need not be encoded to be measured.
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
        raise ChatError("too-long", f"A line has at most {MAX_TEXT_BYTES} bytes: say it in shorter pieces.")
    if not text and not may_be_empty:
        raise ChatError("empty-text", "There is nothing to say: give a text.")
