"""Plain text: what a person at telnet or nc is shown, and what becomes of a line that it types.

Knows sentences. The slash words are in `words`, how the person wants to be shown things in `display`. Must not
know how lines are cut or bytes are sent, nor anything of a room but what a session's verbs give back.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from twistedchat.doors.channel import NO_FAREWELL, Farewell
from twistedchat.doors.first_line import check_name, is_irc, is_web
from twistedchat.doors.plain_outlet import PlainOutlet
from twistedchat.doors.telnet import Mark
from twistedchat.doors.words import people_in, run_word
from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Kind
from twistedchat.formats.base import PAGE_BYTES, fitting
from twistedchat.rooms.audience import SMALL_ROOM
from twistedchat.rooms.charter import LOBBY
from twistedchat.text import listing
from twistedchat.visitor import SHOWN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.events import Event

__all__ = ["PlainDoor"]

_NO_WEB = Farewell("no-name", "This is a chat room, not a web server: enter it with telnet, nc or the chatroom client.")

_WONT_TIMING_MARK = b"\xff\xfc\x06"
"""Answer that a telnet client waits for after ^C. Source: RFC 860."""


class PlainDoor(PlainOutlet):
    """One person at one connection; also the talker of its commands (`words.Talker`).

    Args:
        stream: The connection.
    """

    __slots__ = ("_is_first", "_parting")

    def __init__(self, stream: ChatProtocol) -> None:
        super().__init__(stream)
        self._is_first = True
        self._parting = ""

    # -- what the peer asks ----------------------------------------------------------------------

    def greet(self) -> None:
        """Say where the peer is, and ask for its name."""
        settings = self._stream.port.settings
        lobby = self.session.roster(LOBBY)
        count = lobby.count
        here = "nobody is here yet" if not count else "1 person is here" if count == 1 else f"{count:,} people are here"
        if 0 < count <= SMALL_ROOM:
            here += f", {listing(lobby.names)}"
        lines = [
            f"Welcome to {settings.title}: {here}. /help lists the commands.",
            *settings.motd,
            "What is your name?",
        ]
        self._write("".join(f"{line}\r\n" for line in lines).encode())

    def request(self, request: bytes | Mark) -> Coroutine[Deferred[Any], Any, None] | None:
        """Do what a line says."""
        try:
            if not isinstance(request, Mark):
                return self._line(request)
            self._mark(request)
        except ChatError as error:
            self.tell(error.text)
        return None

    def _mark(self, mark: Mark) -> None:
        if mark is Mark.ARE_YOU_THERE:
            self.tell("Yes, I am here.")
        elif mark is Mark.TIMING:
            self._write(_WONT_TIMING_MARK)
        else:
            self.tell(f"That line was too long and was not said: a line has at most {MAX_TEXT_BYTES} bytes.")

    def _line(self, line: bytes) -> Coroutine[Deferred[Any], Any, None] | None:
        """Say a line, or do the command that it is."""
        text = line.decode("utf-8", "replace")
        if self.session.name and text[:1] != "/" and text.strip():
            self.say(text)
            return None
        if not text.strip():
            return None
        is_first, self._is_first = self._is_first, False
        if is_first and (text[0] == "{" or is_irc(text)):
            port = self._stream.port
            return (port.program_door if text[0] == "{" else port.irc_door)(self._stream).request(line)
        if text[0] == "/" and not text.startswith("//"):
            word, _, rest = text[1:].strip().partition(" ")
            answering = run_word(self, word, rest.strip())
            return None if answering is None else self._answered(answering)
        if not self.session.name:
            return self._answered(self._introduce(text, is_first=is_first))
        self.say(text[1:])
        return None

    async def _answered(self, answering: Coroutine[Deferred[Any], Any, None]) -> None:
        try:
            await answering
        except ChatError as error:
            self.tell(error.text)

    async def _introduce(self, text: str, *, is_first: bool) -> None:
        """Take a line as the peer's name, and let it into the lobby."""
        if is_first and is_web(text):
            self._stream.channel.close(_NO_WEB)
            return
        check_name(text, self._stream.port.settings.irc_ports)
        await self.session.enter(text, profile=PlainDoor.face)
        self._stream.admitted()
        room = await self.enter(LOBBY)
        name = self.session.name
        self.tell(f"You are {name}, in #{room}{people_in(self.session.roster(room), name)}.")
        self.tell_topic(room)

    # -- what commands ask for -------------------------------------------------------------------

    def now(self) -> float:
        """The time of day, in seconds since 1970."""
        return self._stream.port.hub.wall()

    def tell_topic(self, room: str) -> None:
        """Tell the person what a room is about, if it is about something."""
        topic = self.session.topic(room)
        if topic:
            self.tell(f"The topic is: {topic}")

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say a line in the room that the person talks in."""
        self.session.say(self.room, text, self, kind=kind)
        self.unanswered += 1

    async def enter(self, name: str, key: str = "") -> str:
        """Enter a room and talk there from now on; done when its last events have been shown."""
        room = self.session.find(name)
        if room is None:
            joined = await self.session.join(name, self._format(current=True), key=key)
            room = joined.room
            if not joined.is_caught_up:
                self._awaiting = Deferred()
        self._room = room
        self.redraw()
        if self._awaiting is not None:
            await self._awaiting
        return room

    def leave(self, name: str) -> str:
        """Leave a room; then talk in the one entered last, if any."""
        room = self.session.leave(name)
        self._gone_from(room)
        return room

    def show_events(self, events: Sequence[Event]) -> Sequence[Event]:
        """Show events of the current room, whatever its cursor is: the newest of them, as many as fit a page.

        Returns:
            Those that were shown.
        """
        format_ = self._format(current=True)
        page = format_.page(events, sys.maxsize)
        fit = len(fitting(reversed(page.lines), PAGE_BYTES))
        if fit < len(events):
            page = format_.page(events[-fit:], sys.maxsize)
        self.show(page, although_full=True)
        return page.events

    def finish(self, why: str) -> None:
        """Say farewell; the connection closes when nothing is owed to the person any more."""
        self._parting = why
        self._stream.channel.finish(NO_FAREWELL)

    # -- the connection --------------------------------------------------------------------------

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown."""
        # Whoever leaves before its last line is shown to all is one who has gone, to those.
        return self.session.has_seen_all and not self.session.is_being_shown

    def drained(self) -> None:
        """Go on where the wire was full."""
        self.session.show_all()
        if self.session.is_being_shown:
            self._stream.channel.check_finished_soon(SHOWN_SECONDS)

    def farewell(self, farewell: Farewell) -> None:
        """Say why the server closes the connection."""
        self.tell(farewell.text)

    def lost(self) -> None:
        """Leave."""
        awaiting, self._awaiting = self._awaiting, None
        if awaiting is not None:
            awaiting.cancel()
        self.session.close(self._parting)
