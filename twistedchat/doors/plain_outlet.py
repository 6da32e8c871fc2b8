"""Plain text, the way out: what the core shows a person at telnet or nc, and what became of its lines.

Knows sentences, and how the person wants to be shown things. Must not know what can be typed: `plain` does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from twistedchat.doors.channel import FAULT, Farewell
from twistedchat.doors.display import Display
from twistedchat.doors.farewells import killed
from twistedchat.errors import ChatError
from twistedchat.formats.plain import PlainFormat, aside, personal
from twistedchat.names import likenesses
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Hashable

    from twisted.internet.defer import Deferred

    from twistedchat.doors.stream import ChatProtocol
    from twistedchat.events import Kind
    from twistedchat.formats.base import Page
    from twistedchat.people.base import Named
    from twistedchat.profiles import Profile
    from twistedchat.stores.base import Stored

__all__ = ["PlainOutlet"]

_plain_format = lru_cache(maxsize=1024)(PlainFormat)
"""People who want to be shown the same share one format: it is compared for each who comes."""

_USUAL = Display()
"""How most people are shown things. Not to be changed."""


class PlainOutlet:
    """One person at one connection, as an outlet (`speaker.Listener`) and the receipt of its lines.

    Args:
        stream: The connection.

    Attributes:
        session: The person's session.
        last_teller: Who sent the last private line; its name is "" if it has left.
        unanswered: How many lines are not answered yet.
    """

    __slots__ = (
        "_awaiting",
        "_day",
        "_display",
        "_last_refusal",
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
        self._last_refusal: ChatError | None = None
        self.session = Session(stream.port.hub, self)
        self._display: Display | None = None
        self.last_teller: Named | None = None
        self.unanswered = 0
        self._room: str | None = None
        self._day: Hashable = None
        self._awaiting: Deferred[None] | None = None

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

    def tell(self, text: str) -> None:
        """Show the person a line of its own."""
        self._write(aside(text))

    def redraw(self) -> None:
        """Show every room as `display` says."""
        for room in self.session.rooms:
            self.session.show_as(room, self._format(current=room == self._room))
        self.session.show_all()

    def _format(self, *, current: bool) -> PlainFormat:
        display = self._display or _USUAL
        return _plain_format(display.zone, display.seq, not current, display.presence)

    def _gone_from(self, room: str) -> None:
        if room == self._room:
            self._room = next(reversed(list(self.session.rooms)), None)
            self.redraw()

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
        """Write a private line, if nothing waits to be written."""
        if self._wire.full:
            return False
        if self._display is None or self._display.ignored.isdisjoint(likenesses(sender.name)):
            self.last_teller = sender
            self.tell(f"{sender.name} tells you: {text}")
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

    def _write(self, data: bytes) -> None:
        self._wire.write(data)
