"""The gate's speaking half: lines to rooms, and private lines.

Knows the writer and the register of persons. Must not know any door: what is shown goes to a `Listener`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from twistedchat.directory import Directory
from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Draft, Kind
from twistedchat.formats.base import Signal
from twistedchat.names import clean_name, clean_room, is_reserved
from twistedchat.onlooker import UNSEEN
from twistedchat.rules import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from twistedchat.hub import Hub
    from twistedchat.people.base import Hearer, Named
    from twistedchat.profiles import Profile
    from twistedchat.rooms.audience import Outlet
    from twistedchat.rooms.room import Room
    from twistedchat.writer import Receipt

    Face = Callable[[Any], Profile]
    """Tells of a connection how the person at it is seen. One function for all of a door."""

    class Listener(Outlet, Protocol):
        """An outlet that also takes what is for one person alone."""

        def show_private(self, sender: Named, text: str, at: int, kind: Kind, tags: str) -> bool:
            """Show a private line, if it is taken now.

            Args:
                sender: Who has said it.
                text: What.
                at: When, in milliseconds since 1970.
                kind: `Kind.SAY`, `Kind.ME` or `Kind.NOTICE`.
                tags: As `events.Draft.tags`.
            """
            ...

        def invited(self, by: str, room: str) -> None:
            """Somebody lets the person into a room."""
            ...

        def removed(self, room: str, by: str, why: str) -> None:
            """Somebody has removed the person from a room; it is in it no more."""
            ...

        def wallops(self, by: str, text: str) -> None:
            """An operator of the server tells something to all who want to hear it."""
            ...

        def killed(self, by: str, why: str) -> None:
            """An operator of the server has ended the session: close, and say so."""
            ...

        def evicted(self, code: str, text: str) -> None:
            """The session is another connection's, or nobody's: close, and say why."""
            ...

        def notify(self, text: str) -> None:
            """Show a human a sentence about the server."""
            ...


__all__ = ["MAX_KEY_LENGTH", "Face", "Listener", "Speaker", "lost"]

MAX_KEY_LENGTH = 64
"""Longest key of a line, in characters. Source: docs/protocol.md, "Sending again"."""


_FOR_CLIENTS = "\x01"
"""First character of what is meant for an IRC client, not for its user. Source: modern.ircdocs.horse/ctcp."""


class Speaker(Directory):
    """A person, as one who talks.

    Args:
        hub: The server's state.
        outlet: The connection.

    Attributes:
        spoke_at: When the person last said something to a room, in milliseconds since 1970; 0 if it has not.
    """

    __slots__ = ("_face", "_outlet", "spoke_at")

    def __init__(self, hub: Hub, outlet: Listener) -> None:
        super().__init__(hub)
        self._outlet: Listener | None = outlet
        self._face: Face | None = None
        self.spoke_at = 0

    @override
    def _look_at_door(self) -> Profile:
        return UNSEEN if self._face is None or self._outlet is None else self._face(self._outlet)

    @property
    def outlet(self) -> Listener | None:
        """The connection; None while it is known to be lost."""
        return self._outlet

    def say(
        self,
        name: str,
        text: str,
        receipt: Receipt,
        tag: object = None,
        *,
        kind: Kind = Kind.SAY,
        key: str | None = None,
        tags: str = "",
    ) -> None:
        """Have a line stored and then shown to the room.

        Args:
            name: Of a room that the session is in, or that lets others speak.
            text: 1 to `events.MAX_TEXT_BYTES` bytes of UTF-8; a topic may be empty.
            receipt: Is told what became of the line, once, later.
            tag: Handed to the receipt.
            kind: What it is.
            key: So that the same line sent again stands once.
            tags: As `events.Draft.tags`.

        Raises:
            ChatError: ``bad-room``, ``not-in-room``, ``muted``, ``banned``, ``not-op``, ``empty-text``, ``too-long``,
                ``bad-key``; nothing was submitted.
        """
        room = self._room_to_speak_in(name, kind)
        _check_text(text, may_be_empty=kind is Kind.TOPIC)
        if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
            raise ChatError("bad-key", f"A key has 1 to {MAX_KEY_LENGTH} characters.")
        draft = Draft(self._hub.draft_id(), room.name, kind, self.name, text, key, tags)
        self.spoke_at = int(self._hub.wall() * 1000)
        self._hub.writer.submit(room.queue, draft, receipt, tag)

    def _room_to_speak_in(self, name: str, kind: Kind) -> Room:
        """The room of this name, if the person may speak there; also one that is not in it may, if the rules say so."""
        membership = self._memberships.get(name.removeprefix("#"))
        if membership is not None:
            self._may(kind, membership.room.place)
            return membership.room
        name = clean_room(name)
        room = self._hub.rooms.find(name)
        if room is not None and not room.presence.count:
            # Nobody would be shown it.
            room = None
        is_member = room is not None and room.name in self._memberships
        self._may(kind, room.place_of(room.name, is_member=is_member) if room else Place(name, is_member=False))
        if room is None:
            raise ChatError("not-in-room", f"You are not in #{name}: join it first.")
        return room

    async def tell(self, to: str, text: str, *, kind: Kind = Kind.SAY, tags: str = "") -> str:
        """Send a private line.

        Args:
            to: The receiver's name.
            text: What is said.
            kind: `Kind.SAY`, `Kind.ME` or `Kind.NOTICE`.
            tags: As `events.Draft.tags`.

        Returns:
            The receiver's name, as it is spelled.

        Raises:
            ChatError: ``bad-name``, ``not-here``, ``empty-text``, ``too-long``, ``not-reading``.
        """
        person = await self._hearer(to)
        _check_text(text)
        await person.hear(self, text, int(self._hub.wall() * 1000), kind, tags)
        return person.name

    async def hint(self, to: str, tags: str) -> str:
        """Tell the program of a person something, such as that this one types.

        Returns:
            The receiver's name, as it is spelled.

        Raises:
            ChatError: ``bad-name``, ``not-here``, ``not-reading``.
        """
        person = await self._hearer(to)
        await person.hear(self, "", int(self._hub.wall() * 1000), Kind.SAY, tags)
        return person.name

    def signal(self, name: str, id: str, tags: str) -> str:  # noqa: A002  the word is right here
        """Tell the programs in a room something, such as that this person types; it stands in no log.

        Returns:
            The room's name, as it is spelled.

        Raises:
            ChatError: As `say`.
        """
        room = self._room_to_speak_in(name, Kind.SAY)
        membership = self._memberships.get(room.name)
        signal = Signal(room.name, self.name, int(self._hub.wall() * 1000), id, tags)
        self._hub.signals.show(room, signal, membership.member if membership else None)
        self._hub.people.signalled(*signal)
        return room.name

    async def _hearer(self, to: str) -> Hearer:
        self._may("tell")
        to = clean_name(to)
        if is_reserved(to, self._hub.chosen.server):
            raise ChatError("not-here", "There are no accounts here yet; nobody was shown that.")
        person = await self._hub.people.find(to)
        self._check_still_here()
        if person is None:
            raise ChatError("not-here", f"There is nobody here called {to}.")
        return person

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        """Take a private line. One for an IRC client alone, or without a text, is not shown at other doors.

        Raises:
            ChatError: ``not-here`` while the connection is lost, ``not-reading``.
        """
        if self.profile.door != "irc" and (not text or text[0] == _FOR_CLIENTS):
            return
        if self._outlet is None:
            raise ChatError("not-here", f"{self.name} has lost the connection: try again in a minute.")
        if not self._outlet.show_private(sender, text, at, kind, tags):
            raise ChatError("not-reading", f"{self.name} does not read at the moment: try again later.")

    # -- after a wait ----------------------------------------------------------------------------

    def _check_still_here(self) -> None:
        """After a wait: nothing is done for a connection that was lost meanwhile."""
        if self._outlet is None:
            raise lost()


def lost() -> ChatError:
    """Reaches nobody: the connection that it would answer is gone."""
    return ChatError("lost", "The connection was lost.")


def _check_text(text: str, *, may_be_empty: bool = False) -> None:
    # A character is at most four bytes: most lines need not be encoded to be measured.
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
        raise ChatError("too-long", f"A line has at most {MAX_TEXT_BYTES} bytes: say it in shorter pieces.")
    if not text and not may_be_empty:
        raise ChatError("empty-text", "There is nothing to say: give a text.")
