"""Plain text: what a person types at telnet or nc, and what is shown there.

Knows the words and the sentences. Must not know how lines are cut or bytes are sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.commands import Screen, find_command, people_in
from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Kind
from twistedchat.formats.plain import PlainFormat, told
from twistedchat.room import PRESENCE_LIMIT, Room
from twistedchat.session import Session
from twistedchat.text import listing

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable, Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Page
    from twistedchat.hub import Person
    from twistedchat.protocols.line import ChatProtocol

__all__ = ["LOBBY", "PlainDialect"]

LOBBY = "lobby"
"""The room that a person enters on giving a name. Source: docs/protocol.md, "Plain text"."""

_HTTP = re.compile(r"[A-Z]{3,8} \S* ?HTTP/\d")
"""A request line. Source: RFC 9112 section 3."""


_plain_format = lru_cache(maxsize=1024)(PlainFormat)
"""People who want to be shown the same share one format: it is compared for each who comes."""


class PlainDialect:
    """One person at one connection.

    Also the person's outlet (`room.Outlet`) and the talker of its commands (`commands.Talker`).
    """

    __slots__ = (
        "_awaiting",
        "_day",
        "_farewell",
        "_first",
        "_protocol",
        "_room",
        "_wire",
        "hub",
        "last_teller",
        "screen",
        "session",
        "unanswered",
    )

    def __init__(self, protocol: ChatProtocol) -> None:
        self._protocol = protocol
        self._wire = protocol.wire
        self.hub = protocol.factory.hub
        self.session = Session(self.hub, self)
        self.screen = Screen()
        self.last_teller: Person | None = None
        self.unanswered = 0
        self._room: Room | None = None
        self._day: Hashable = None
        self._first = True
        self._farewell = ""
        self._awaiting: Deferred[None] | None = None

    # -- lines in --------------------------------------------------------------------------------

    def greet(self) -> None:
        """Say where the peer is, and ask for its name."""
        settings = self._protocol.factory.settings
        lobby = self.hub.find_room(LOBBY)
        count = lobby.count if lobby else 0
        here = "nobody is here yet" if not count else "1 person is here" if count == 1 else f"{count:,} people are here"
        if lobby and 0 < count <= PRESENCE_LIMIT:
            here += f", {listing(lobby.names)}"
        lines = [
            f"Welcome to {settings.title}: {here}. /help lists the commands.",
            *settings.motd,
            "What is your name?",
        ]
        self._wire.write("".join(f"{line}\r\n" for line in lines).encode())

    def line(self, line: bytes) -> Coroutine[Deferred[None], None, None] | None:
        """Say a line, or do the command that it is."""
        text = line.decode("utf-8", "replace")
        try:
            if not text.strip():
                return None
            if text[0] == "/" and not text.startswith("//"):
                name, _, rest = text[1:].strip().partition(" ")
                return self._command(name, rest.strip())
            if not self.session.name:
                return self._answered(self._introduce(text))
            self.say(text[1:] if text[0] == "/" else text)
        except ChatError as error:
            self.refuse(error)
        return None

    def _command(self, name: str, rest: str) -> Coroutine[Deferred[None], None, None] | None:
        command = find_command(name)
        if not self.session.name and command.names[0] not in {"help", "ping", "quit"}:
            raise ChatError("no-name", "Give your name first: type it, and Enter.")
        answering = command.run(self, rest)
        return None if answering is None else self._answered(answering)

    async def _answered(self, answering: Coroutine[Deferred[None], None, None]) -> None:
        try:
            await answering
        except ChatError as error:
            self.refuse(error)

    async def _introduce(self, text: str) -> None:
        """Take a line as the peer's name, and let it into the lobby."""
        first, self._first = self._first, False
        if first and _HTTP.match(text):
            self._protocol.close(
                "This is a chat room, not a web server: enter it with telnet, nc or the chatroom client."
            )
            return
        self.session.enter(text)
        self._protocol.named()
        room = await self.enter(LOBBY)
        name = self.session.name
        self.tell(f"You are {name}, in #{room.name}{people_in(room, name)}.")
        if room.topic:
            self.tell(f"The topic is: {room.topic}")

    def too_long(self) -> None:
        """Answer for a line that was too long to be looked at."""
        self.tell(f"That line was too long and was not said: a line has at most {MAX_TEXT_BYTES} bytes.")

    # -- what commands ask for -------------------------------------------------------------------

    @property
    def room(self) -> Room:
        """The room that the person talks in.

        Raises:
            ChatError: ``not-in-room``: it is in none.
        """
        if self._room is None:
            raise ChatError("not-in-room", "You are in no room: /join #room enters one, /rooms lists them.")
        return self._room

    def tell(self, text: str) -> None:
        """Show the person a line of its own."""
        self._wire.write(told(text))

    def refuse(self, error: ChatError) -> None:
        """Tell the person what can't be done."""
        self.tell(error.text)

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say a line in the room that the person talks in."""
        self.session.say(self.room, text, self, kind=kind)
        self.unanswered += 1

    async def enter(self, name: str) -> Room:
        """Enter a room and talk there from now on; done when its last events have been shown."""
        format_ = self._format(current=True)
        room = self._room = self.session.find(name) or self.session.join(name, format_)
        self.redraw()
        if self.session.members[room].cursor < room.seq:
            self._awaiting = Deferred()
            await self._awaiting
        return room

    def leave(self, name: str) -> Room:
        """Leave a room; then talk in the one entered last, if any."""
        room = self.session.leave(name)
        if room is self._room:
            self._room = next(reversed(self.session.members), None)
            self.redraw()
        return room

    def redraw(self) -> None:
        """Show every room as the screen says."""
        for room, member in self.session.members.items():
            format_ = self._format(current=room is self._room)
            if format_ != member.format:
                room.reformat(member, format_)
        # A fan-out under way goes by format, and may have passed over whoever changed it.
        self.session.show_all()

    def _format(self, *, current: bool) -> PlainFormat:
        screen = self.screen
        bell_for = self.session.name if screen.bell else ""
        return _plain_format(screen.zone, screen.seq, not current, screen.presence, screen.ignored, bell_for)

    def show_events(self, events: Sequence[Event]) -> None:
        """Show events of the current room, whatever its cursor is, and though the wire may be full."""
        page = self._format(current=True).page(events)
        self._wire.write(page.data if page.first_day == self._day else page.dated)
        self._day = page.last_day

    def go_back(self, seq: int) -> None:
        """Set the current room's cursor back."""
        self.session.members[self.room].cursor = seq
        self.session.show_all()

    def finish(self, why: str) -> None:
        """Say farewell; the connection closes when nothing is owed to the person any more."""
        self._farewell = why
        self._protocol.finish()

    # -- what the core shows ---------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether something waits to be written."""
        return self._wire.full

    def show(self, page: Page) -> bool:
        """Write events, if nothing waits to be written."""
        wire = self._wire
        if wire.full:
            return False
        data = page.data
        if page.first_day != self._day:
            data = page.dated
        if data:
            self._day = page.last_day
            wire.write(data)
        return True

    def show_presence(self, data: bytes) -> bool:
        """Write who came and went, if nothing waits to be written."""
        if self._wire.full:
            return False
        if data:
            self._wire.write(data)
        return True

    def show_tell(self, sender: Person, text: str, at: int) -> bool:  # noqa: ARG002  programs are told the time
        """Write a private line, if nothing waits to be written."""
        if self._wire.full:
            return False
        if not self.screen.ignores(sender.name):
            self.last_teller = sender
            self.tell(f"{sender.name} tells you: {text}")
        return True

    def stored(self, tag: object, event: Event, *, again: bool) -> None:  # noqa: ARG002  a person sees the line itself
        """A line of the person's stands in the log."""
        self.unanswered -= 1
        if not self.unanswered:
            self._protocol.check_finished_soon()

    def refused(self, tag: object, error: ChatError) -> None:  # noqa: ARG002  the sentence says all
        """A line of the person's could not be stored."""
        self.unanswered -= 1
        self.refuse(error)
        self._protocol.check_finished()

    # -- the connection --------------------------------------------------------------------------

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown."""
        return self.session.has_seen_all

    def drained(self) -> None:
        """Go on where the wire was full."""
        self.session.show_all()

    def caught_up(self, room: Room) -> None:
        """A room has been shown to its end."""
        if self._awaiting is not None and room is self._room:
            awaiting, self._awaiting = self._awaiting, None
            awaiting.callback(None)
        self._protocol.check_finished()

    def goodbye(self, text: str) -> None:
        """Say why the server closes the connection."""
        self.tell(text)

    def lost(self) -> None:
        """Leave."""
        self.session.close(self._farewell)
