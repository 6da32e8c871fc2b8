"""One person here: a name, the rooms that the person is in, and the verbs.

Every protocol speaks through a session, and every check that does not depend on a protocol is
here. Must not know any protocol: what is shown goes to an `Outlet`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Draft, Kind
from twistedchat.names import clean_name, clean_room
from twistedchat.room import GONE, Member, Room

if TYPE_CHECKING:
    from typing import Protocol

    from twistedchat.formats.base import Format
    from twistedchat.hub import Hub, Person
    from twistedchat.pipeline import Receipt
    from twistedchat.room import Outlet

    class Listener(Outlet, Protocol):
        """An outlet that also takes private lines."""

        def show_tell(self, sender: Person, text: str, at: int) -> bool:
            """Show a private line, if it is taken now."""
            ...


__all__ = ["MAX_KEY_LENGTH", "MAX_ROOMS", "Session"]

MAX_ROOMS = 100
"""So many rooms can one session be in, so that its cost is bounded."""

MAX_KEY_LENGTH = 64
"""The longest key of a line, in characters. Source: docs/protocol.md, ``say``."""


class Session:
    """A person who is here.

    A session begins without a connection's being known to anybody else: it has a name once `enter`
    has succeeded.

    Args:
        hub: The server's state.
        outlet: The connection.

    Attributes:
        name: The person's name; "" before `enter`.
        token: Takes up the session after its connection was lost; "" for one that can't be.
        members: The person's membership of each room that it is in.
    """

    __slots__ = ("_hub", "_outlet", "members", "name", "token")

    def __init__(self, hub: Hub, outlet: Listener) -> None:
        self._hub = hub
        self._outlet: Listener | None = outlet
        self.name = ""
        self.token = ""
        self.members: dict[Room, Member] = {}

    # -- coming and going ------------------------------------------------------------------------

    def enter(self, name: str, *, resumable: bool = False) -> None:
        """Take a name.

        Raises:
            ChatError: ``bad-name``, ``name-taken``.
        """
        name = clean_name(name)
        self._hub.people.claim(name, self)
        self.name = name
        if resumable:
            self.token = secrets.token_urlsafe(18)
            self._hub.tokens[self.token] = self

    def rename(self, name: str) -> None:
        """Take another name.

        Raises:
            ChatError: ``bad-name``, ``name-taken``.
        """
        name = clean_name(name)
        self._hub.people.rename(self.name, name)
        self.name = name
        for room, member in self.members.items():
            room.rename(member, name)
            self._hub.presence_changed(room)

    def close(self, why: str = "") -> None:
        """Leave every room with a parting word, and give the name back. Closing again does nothing."""
        self._hub.back(self)
        self._outlet = None
        for room in list(self.members):
            self._leave(room, why)
        if self.name:
            self._hub.people.release(self.name)
            self._hub.tokens.pop(self.token, None)
            self.name = ""

    def lose(self) -> None:
        """The connection is lost: wait to be resumed, or end at once if that can't be."""
        if self.token:
            self._detach()
            self._hub.linger(self)
        else:
            self.close()

    def _detach(self) -> None:
        """Show nothing any more."""
        self._outlet = None
        for member in self.members.values():
            member.outlet = None
            member.cursor = GONE

    def resume(self, outlet: Listener) -> Listener | None:
        """Take the session up with another connection; nothing of a room is shown until `join`.

        Returns:
            The connection that it had, if that was not known to be lost.
        """
        before = self._outlet
        self._detach()
        self._hub.back(self)
        self._outlet = outlet
        return before

    # -- rooms -----------------------------------------------------------------------------------

    def join(self, name: str, format_: Format, after: int | None = None) -> Room:
        """Enter a room, or set the cursor anew in one that the session is in.

        Nothing is shown before `show_all` is called.

        Args:
            name: The room's name, with or without ``#``.
            format_: How the room is shown.
            after: Show everything after this seq, at least 0; None shows the last few events.

        Raises:
            ChatError: ``bad-room``, ``too-many-rooms``.
        """
        name = clean_room(name)
        known = self._hub.find_room(name)
        if known not in self.members and len(self.members) >= MAX_ROOMS:
            raise ChatError("too-many-rooms", f"You are in {MAX_ROOMS} rooms: leave one before you join another.")
        room = known or self._hub.room(name)
        if after is None:
            after = max(0, room.seq - self._hub.history)
        member = self.members.get(room)
        if member is None:
            member = self.members[room] = Member(self.name, self._outlet, format_, GONE)
            self._hub.entered(room, member)
        room.reformat(member, format_)
        member.outlet = self._outlet
        member.cursor = min(after, room.seq)
        room.introduce(member)
        return room

    def leave(self, name: str, why: str = "") -> Room:
        """Leave a room.

        Raises:
            ChatError: ``bad-room``, ``not-in-room``.
        """
        room = self.find(name)
        if room is None:
            raise ChatError("not-in-room", f"You are not in #{clean_room(name)}: there is nothing to leave.")
        self._leave(room, why)
        return room

    def _leave(self, room: Room, why: str = "") -> None:
        self._hub.left(room, self.members.pop(room), why)

    def find(self, name: str) -> Room | None:
        """A room that the session is in, or None.

        Raises:
            ChatError: ``bad-room``.
        """
        room = self._hub.find_room(clean_room(name))
        return room if room in self.members else None

    def room(self, name: str) -> Room:
        """A room that the session is in.

        Raises:
            ChatError: ``bad-room``, ``not-in-room``.
        """
        room = self.find(name)
        if room is None:
            raise ChatError("not-in-room", f"You are not in #{clean_room(name)}: join it first.")
        return room

    def known_room(self, name: str) -> Room:
        """A room that exists.

        Raises:
            ChatError: ``bad-room``, ``no-such-room``.
        """
        room = self._hub.find_room(clean_room(name))
        if room is None:
            raise ChatError("no-such-room", f"There is no room #{clean_room(name)}: join it to open it.")
        return room

    def show_all(self) -> None:
        """Bring every room forward, as far as the outlet takes it."""
        for room, member in list(self.members.items()):
            if GONE < member.cursor < room.seq:
                self._hub.bring_forward(room, member)

    @property
    def has_seen_all(self) -> bool:
        """Whether everything that stands in the logs of the session's rooms has been shown to it."""
        return all(member.cursor in (GONE, room.seq) for room, member in self.members.items())

    # -- speaking --------------------------------------------------------------------------------

    def say(
        self,
        room: Room,
        text: str,
        receipt: Receipt,
        tag: object = None,
        *,
        kind: Kind = Kind.SAY,
        key: str | None = None,
    ) -> None:
        """Have a line stored and then shown to the room.

        Args:
            room: One that the session is in.
            text: 1 to `events.MAX_TEXT_BYTES` bytes of UTF-8; a topic may be empty.
            receipt: Is told what became of the line, once, later.
            tag: Handed to the receipt.
            kind: What it is.
            key: So that the same line sent again stands once.

        Raises:
            ChatError: ``empty-text``, ``too-long``, ``bad-key``; nothing was submitted.
        """
        # A character is at most four bytes: most lines need not be encoded to be measured.
        if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
            raise ChatError("too-long", f"A line has at most {MAX_TEXT_BYTES} bytes: say it in shorter pieces.")
        if not text and kind is not Kind.TOPIC:
            raise ChatError("empty-text", "There is nothing to say: give a text.")
        if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
            raise ChatError("bad-key", f"A key has 1 to {MAX_KEY_LENGTH} characters.")
        self._hub.pipeline.submit(room, Draft(room.name, kind, self.name, text, key), receipt, tag)

    def send(self, to: str, text: str) -> str:
        """Send a private line.

        Returns:
            The receiver's name, as it is spelled.

        Raises:
            ChatError: ``bad-name``, ``not-here``, ``empty-text``, ``too-long``, ``not-reading``.
        """
        person = self._hub.people.find(clean_name(to))
        if person is None:
            raise ChatError("not-here", f"There is nobody here called {clean_name(to)}.")
        if not text:
            raise ChatError("empty-text", "There is nothing to say: give a text.")
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise ChatError("too-long", f"A line has at most {MAX_TEXT_BYTES} bytes: say it in shorter pieces.")
        person.tell(self, text, int(self._hub.reactor.seconds() * 1000))
        return person.name

    def tell(self, sender: Person, text: str, at: int) -> None:
        """Take a private line.

        Raises:
            ChatError: ``not-here`` while the connection is lost, ``not-reading``.
        """
        if self._outlet is None:
            raise ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")
        if not self._outlet.show_tell(sender, text, at):
            raise ChatError("not-reading", f"{self.name} does not read at the moment: try again later.")
