"""Plain text: what a person at telnet or nc is shown, and what becomes of a line that it types.

Knows sentences. The slash words are in `words`, how the person wants to be shown things in `display`. Must not
know how lines are cut or bytes are sent, nor anything of a room but what a session's verbs give back.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from twistedchat.doors.channel import FAULT, NO_FAREWELL, Farewell
from twistedchat.doors.display import Display
from twistedchat.doors.farewells import NO_WEB, killed
from twistedchat.doors.first_line import check_name, is_irc, is_web
from twistedchat.doors.telnet import WONT_TIMING_MARK, Mark
from twistedchat.doors.words import people_in, run_word
from twistedchat.errors import ChatError
from twistedchat.events import CTCP, MAX_TEXT_BYTES, Kind
from twistedchat.formats.base import PAGE_BYTES, fitting
from twistedchat.formats.plain import PlainFormat, aside, personal, told
from twistedchat.names import likenesses
from twistedchat.rooms.audience import SMALL_ROOM
from twistedchat.rooms.charter import LOBBY
from twistedchat.session import Session
from twistedchat.text import listing

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable, Sequence

    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.events import Event
    from twistedchat.formats.base import Page
    from twistedchat.people.base import Named
    from twistedchat.profiles import Profile
    from twistedchat.stores.base import Stored

__all__ = ["PlainDoor"]

_plain_format = lru_cache(maxsize=1024)(PlainFormat)
"""People who want to be shown the same share one format: it is compared for each who comes."""

_USUAL = Display()
"""How most people are shown things. Not to be changed."""


class PlainDoor:
    """One person at one connection.

    Also the person's outlet (`rooms.audience.Outlet`) and the talker of its commands (`words.Talker`).

    Args:
        stream: The connection.
    """

    __slots__ = (
        "_awaiting",
        "_day",
        "_display",
        "_is_first",
        "_last_refusal",
        "_parting",
        "_room",
        "_stream",
        "_wire",
        "last_teller",
        "session",
        "unanswered",
    )

    def __init__(self, stream: ChatProtocol) -> None:
        self._stream = stream
        self._wire = stream.wire
        self._is_first = True
        self._last_refusal: ChatError | None = None
        self.session = Session(stream.port.hub, self)
        self._display: Display | None = None
        self.last_teller: Named | None = None
        self.unanswered = 0
        self._room: str | None = None
        self._day: Hashable = None
        self._parting = ""
        self._awaiting: Deferred[None] | None = None

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
            self._write(WONT_TIMING_MARK)
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
            self._stream.channel.close(NO_WEB)
            return
        check_name(text, self._stream.port.settings.irc_ports)
        await self.session.enter(text, profile=PlainDoor.face)
        self._stream.admitted()
        room = await self.enter(LOBBY)
        name = self.session.name
        self.tell(f"You are {name}, in #{room}{people_in(self.session.roster(room), name)}.")
        self.tell_topic(room)

    # -- what commands ask for -------------------------------------------------------------------

    @property
    def room(self) -> str:
        """The room that the person talks in.

        Raises:
            ChatError: ``not-in-room``: it is in none.
        """
        if self._room is None:
            raise ChatError("not-in-room", "You are in no room: /join #room enters one, /rooms lists them.")
        return self._room

    @property
    def display(self) -> Display:
        """How the person wants to be shown things; after a change call `redraw`."""
        if self._display is None:
            self._display = Display()
        return self._display

    def now(self) -> float:
        """The time of day, in seconds since 1970."""
        return self._stream.port.hub.wall()

    def tell(self, text: str) -> None:
        """Show the person a line of its own."""
        self._write(aside(text))

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

    def _gone_from(self, room: str) -> None:
        if room == self._room:
            self._room = next(reversed(list(self.session.rooms)), None)
            self.redraw()

    def redraw(self) -> None:
        """Show every room as `display` says."""
        for room in self.session.rooms:
            self.session.show_as(room, self._format(current=room == self._room))
        self.session.show_all()

    def _format(self, *, current: bool) -> PlainFormat:
        display = self._display or _USUAL
        return _plain_format(display.zone, display.seq, not current, display.presence)

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

    # -- what the core shows ---------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether something waits to be written."""
        return self._wire.full

    def show(self, page: Page, *, although_full: bool = False) -> bool:
        """Write events, if nothing waits to be written."""
        wire = self._wire
        if wire.full and not although_full:
            return False
        display = self._display
        data = page.data if display is None or not display.is_personal else self._personal(page)
        if data:
            if page.first_day != self._day:
                data = page.date + data
            self._day = page.last_day
            wire.write(data)
        return True

    def _personal(self, page: Page) -> bytes:
        """The page as this person alone wants it."""
        display = self.display
        name = self.session.name if display.bell else ""
        return personal(page, ignored=display.ignored, ring_for=name)

    def show_presence(self, data: bytes) -> bool:
        """Write who came and went, if nothing waits to be written."""
        if self._wire.full:
            return False
        if data:
            self._write(data)
        return True

    def show_private(self, sender: Named, text: str, at: int, kind: Kind, tags: str) -> bool:  # noqa: ARG002  for programs
        """Write a private line, if nothing waits to be written; not one from program to program of IRC."""
        if self._wire.full:
            return False
        is_ignored = self._display is not None and not self._display.ignored.isdisjoint(likenesses(sender.name))
        if not is_ignored and text[:1] != CTCP:
            self.last_teller = sender
            self.tell(told(sender.name, text, kind))
        return True

    def invited(self, by: str, room: str) -> None:
        """Somebody lets the person into a room."""
        self.tell(f"{by} invites you to #{room}: /join #{room} enters it.")

    def removed(self, room: str, by: str, why: str) -> None:
        """Somebody has removed the person from a room; then it talks in the one entered last, if any."""
        self.tell(f"{by} removed you from #{room}" + (f": {why}" if why else "."))
        self._end_waiting(room)
        self._gone_from(room)

    def caught_up(self, room: str) -> None:
        """A room has been shown to its end."""
        self._end_waiting(room)
        self._stream.channel.check_finished_soon()

    def _end_waiting(self, room: str) -> None:
        if self._awaiting is not None and room == self._room:
            awaiting, self._awaiting = self._awaiting, None
            awaiting.callback(None)

    def unreadable(self, room: str, *, passed_over: bool) -> None:
        """Some of a room can't be read: nobody waits for it."""
        if passed_over:
            self.tell(f"Some of what was said in #{room} can't be read, and is left out.")
        else:
            self.tell(f"What was said in #{room} can't be read now; it is shown when it can.")
        self._end_waiting(room)

    def wallops(self, by: str, text: str) -> None:
        """An operator tells something to all who want to hear it."""
        self.tell(f"{by} tells all who want to hear it: {text}")

    def killed(self, by: str, why: str) -> None:
        """An operator has ended the session."""
        self._stream.channel.close(killed(by, why))

    def evicted(self, code: str, text: str) -> None:
        """The name is somebody else's."""
        self._stream.channel.close(Farewell(code, text))

    def face(self) -> Profile:
        """How the person is seen by others."""
        return self._stream.face("plain")

    def notify(self, text: str) -> None:
        """Show a sentence about the server."""
        self.tell(text)

    def log_lost(self, room: str) -> None:
        """Some of what was shown stands in the log no more."""
        self.tell(f"The server has lost what was said last in #{room}: it is not in the log any more.")

    def fault(self) -> None:
        """Showing failed; that is logged."""
        self._stream.channel.close(FAULT)

    # -- what became of lines --------------------------------------------------------------------

    def stored(self, tag: object, stored: Stored) -> None:  # noqa: ARG002  a person sees the line itself
        """A line of the person's stands in the log."""
        self.unanswered -= 1
        if not self.unanswered:
            self._stream.channel.check_finished_soon()

    def refused(self, tag: object, error: ChatError) -> None:  # noqa: ARG002  the sentence says all
        """A line of the person's could not be stored; one sentence for all that are refused together."""
        self.unanswered -= 1
        if error is not self._last_refusal:
            self._last_refusal = error
            self.tell(error.text)
        self._stream.channel.check_finished_soon()

    # -- the connection --------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        self._wire.write(data)

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown."""
        return self.session.has_seen_all

    def drained(self) -> None:
        """Go on where the wire was full."""
        self.session.show_all()

    def farewell(self, farewell: Farewell) -> None:
        """Say why the server closes the connection."""
        self.tell(farewell.text)

    def lost(self) -> None:
        """Leave."""
        awaiting, self._awaiting = self._awaiting, None
        if awaiting is not None:
            awaiting.cancel()
        self.session.close(self._parting)
