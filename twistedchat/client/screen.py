"""The full terminal client: what a person sees of the rooms, and what the keys do.

Must not know how anything is drawn or sent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.completion import candidates
from twistedchat.client.frame import Frame
from twistedchat.client.happenings import Connected, Disconnected, Joined, Refused, Retrying, Stored, Tell
from twistedchat.client.history import page
from twistedchat.client.paint import Painter
from twistedchat.client.panel import Panel
from twistedchat.client.terminal import presence_sentences, welcome
from twistedchat.errors import ChatError
from twistedchat.events import Event
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.client.desk import Desk
    from twistedchat.client.happenings import Happening, Line, Room
    from twistedchat.client.paint import Fragments
    from twistedchat.client.state import State

__all__ = ["Screen"]

PAGE_EVENTS = 200
"""So many events are read at once when the person reads back."""

MOST_BACK = 20_000
"""So far does ``/since`` go back on the screen."""

CERTAIN_SECONDS = 3.0
"""A second Ctrl-C within this time leaves."""


class Screen:
    """A person at a full terminal; also the desk's view, and the pilot of its frame.

    Args:
        desk: The person's desk.
        coloured: Whether to use colours.
        state: Knows where the person left off the last time.

    Attributes:
        done: Fires when the person leaves.
    """

    def __init__(self, desk: Desk, *, coloured: bool = True, state: State | None = None) -> None:
        self.done: Deferred[None] = Deferred()
        self._desk = desk
        self._left_off = state
        self._frame = Frame(self, coloured=coloured)
        self._height = 20
        self._panels: dict[Room | None, Panel] = {None: Panel()}
        self._introduced: set[Room] = set()
        self._state = "connecting"
        self._retry_at = math.inf
        self._interrupted_at = -math.inf
        self._asked = False
        self._fetching = False
        desk.view = self

    # -- what is shown ---------------------------------------------------------------------------

    def visible(self, width: int, height: int) -> list[Fragments]:
        """The rows of the room that the person sees."""
        self._height = height
        return self._panel.visible(self._painter, width, height, connected=self._desk.conversation.connected)

    @property
    def _panel(self) -> Panel:
        return self._panel_of(self._desk.room)

    def _panel_of(self, room: Room | None) -> Panel:
        panel = self._panels.get(room)
        if panel is None:
            panel = self._panels[room] = Panel()
        return panel

    @property
    def _painter(self) -> Painter:
        return Painter(self._desk.conversation.name, self._desk.wishes.seq)

    def status(self) -> Fragments:
        """The room, its people, the connection, and what is unread elsewhere."""
        desk = self._desk
        room = desk.room
        where = f"#{room.name}  {_people(room.count)}" if room is not None else "no room"
        parts: Fragments = [("", f" {where}  {self._connection()}")]
        if desk.conversation.unstored and not desk.conversation.connected:
            parts.append(("class:status.unread", f"  {len(desk.conversation.unstored)} waiting"))
        for number, other in enumerate(desk.conversation.rooms.values(), 1):
            transcript = self._panel_of(other).transcript
            if other is not room:
                unread = f" {transcript.unread}{'!' if transcript.called else ''}" if transcript.unread else ""
                parts.append(("class:status.unread" if unread else "", f"  {number}:#{other.name}{unread}"))
        if self._panel.scroll:
            parts.append(("class:status.unread", "  reading back: End returns"))
        return parts

    def _connection(self) -> str:
        seconds = self._retry_at - self._desk.seconds()
        if self._state == "reconnecting" and math.isfinite(seconds) and seconds > 0:
            return f"reconnecting in {math.ceil(seconds)} s"
        return self._state

    # -- what the keys do ------------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Say the line, or do what it asks."""
        self._interrupted_at = -math.inf
        self._asked = self._asked and text.strip().startswith("/")
        self.scroll_down()
        self._desk.typed(text)

    def complete(self, before: str) -> tuple[int, str]:
        """Complete the word as far as it is clear; if it is not, show what it could be."""
        word, found = candidates(self._desk, before)
        common = found[0] if len(found) == 1 else _common([text.rstrip(": ") for text in found])
        if len(common) > len(word):
            return len(word), common
        if found:
            self.tell("  ".join(text.rstrip(": ") for text in found))
        return 0, ""

    def interrupted(self, *, typing: bool) -> None:
        """Leave, if it is the second Ctrl-C within a moment."""
        now = self._desk.seconds()
        if now - self._interrupted_at < CERTAIN_SECONDS and not typing:
            self.interrupt()
            return
        self._interrupted_at = now
        self.tell("Ctrl-C again leaves.")

    def switch(self, step: int) -> None:
        """Turn to the next room, or the one before."""
        rooms = list(self._desk.conversation.rooms.values())
        if rooms:
            here = rooms.index(self._desk.room) if self._desk.room in rooms else 0
            self._desk.talk_in(rooms[(here + step) % len(rooms)])

    def switch_to(self, place: int) -> None:
        """Turn to a room by its place."""
        rooms = list(self._desk.conversation.rooms.values())
        if place < len(rooms):
            self._desk.talk_in(rooms[place])

    # -- reading back ----------------------------------------------------------------------------

    def scroll(self, pages: int) -> None:
        """Read so many pages back, and more of the log if that is needed."""
        panel, room = self._panel, self._desk.room
        panel.scroll = wanted = max(0, panel.scroll + pages * max(1, self._height - 1))
        transcript = panel.transcript
        if room is not None and transcript.first > 1 and len(transcript.entries) < wanted + self._height:

            def fetched(_: object) -> None:
                panel.scroll = max(panel.scroll, wanted)
                self._frame.redraw()

            Deferred.fromCoroutine(self._fetch(room, transcript.first - 1)).addCallback(fetched)
        self._frame.redraw()

    def scroll_down(self) -> None:
        """Follow what comes."""
        self._panel.scroll = 0
        self._frame.redraw()

    async def _fetch(self, room: Room, first: int) -> None:
        """Read pages of the log until an event with this seq, or an earlier one, is there."""
        transcript = self._panel_of(room).transcript
        if self._fetching:
            return
        self._fetching = True
        try:
            while transcript.first > max(1, first):
                events = await page(self._desk.conversation, room.name, before=transcript.first, limit=PAGE_EVENTS)
                if not transcript.add_older(events):
                    return
        except ChatError as error:
            self.tell(error.text)
        finally:
            self._fetching = False

    # -- the desk's view -------------------------------------------------------------------------

    def happened(self, happening: Happening) -> None:
        """Show what happened."""
        match happening:
            case Event():
                self._event(happening)
            case Change(room=name):
                room = self._desk.conversation.rooms.get(name)
                for sentence in presence_sentences(happening):
                    self._panel_of(room).transcript.note(sentence)
            case Tell(who, text):
                self.tell(f"{who} tells you: {text}")
                self._ring()
            case Stored(line, seq):
                self._panel_of(line.room).transcript.settle(line, seq)
                if self._asked and not self._desk.conversation.unstored:
                    self.interrupt()
            case Refused(line, _):
                self._panel_of(line.room).transcript.refuse(line)
            case Joined(room):
                self._joined(room)
            case Connected():
                self._state, self._retry_at = "connected", math.inf
            case Disconnected():
                self._state = "reconnecting"
            case Retrying(seconds, _):
                self._state, self._retry_at = "reconnecting", self._desk.seconds() + seconds
        self._frame.redraw()

    def _event(self, event: Event) -> None:
        room = self._desk.conversation.rooms.get(event.room)
        panel = self._panel_of(room)
        panel.add(event, self._painter)
        called = event.who != self._desk.conversation.name and self._painter.calls(event.text)
        if room is not self._desk.room:
            panel.transcript.unread += 1
            panel.transcript.called |= called
        if called:
            self._ring()

    def _ring(self) -> None:
        if self._desk.wishes.bell:
            self._frame.ring()

    def _joined(self, room: Room) -> None:
        if room not in self._introduced:
            self._introduced.add(room)
            transcript = self._panel_of(room).transcript
            transcript.mark = (self._left_off and self._left_off.last(room.name)) or 0
            transcript.note(welcome(self._desk.conversation.name, room))
            if room.topic:
                transcript.note(f"The topic is: {room.topic}")

    def tell(self, text: str) -> None:
        """Show a line for this person alone, in the room that the person sees."""
        self._panel.transcript.note(text)
        self._frame.redraw()

    def said(self, line: Line) -> None:
        """Show a line that is on its way."""
        panel = self._panel_of(line.room)
        panel.transcript.mark = 0
        panel.transcript.say(line)
        self._frame.redraw()

    def entered(self, room: Room) -> None:
        """Turn to a room."""
        for other, panel in self._panels.items():
            if other is not room and not panel.transcript.unread:
                panel.transcript.mark = panel.transcript.last
        transcript = self._panel_of(room).transcript
        transcript.unread, transcript.called = 0, False
        self._frame.redraw()

    def show_page(self, room: Room, events: Sequence[Event]) -> None:
        """Show events of the past again."""
        self._panel_of(room).transcript.quote(events)
        self._frame.redraw()

    def go_back(self, room: Room, seq: int) -> None:
        """Read back to an event."""
        panel = self._panel_of(room)
        if panel.transcript.last - seq > MOST_BACK:
            self.tell(
                f"That is more than {MOST_BACK:,} lines back: /history before {seq + 21} shows the first of them."
            )
            return

        def fetched(_: object) -> None:
            panel.scroll_to(seq + 1, self._painter, self._height)
            self._frame.redraw()

        Deferred.fromCoroutine(self._fetch(room, seq + 1)).addCallback(fetched)

    # -- coming and going ------------------------------------------------------------------------

    async def run(self) -> None:
        """Draw, and take keys, until the person leaves or the terminal is gone."""
        self.done.addCallback(lambda _: self._frame.close())
        await self._frame.run()
        self.interrupt()

    def finish(self) -> None:
        """Leave, or ask first if something is not stored yet."""
        unstored = len(self._desk.conversation.unstored)
        if unstored and not self._asked:
            self._asked = True
            lines = "1 line is" if unstored == 1 else f"{unstored} lines are"
            self.tell(f"{lines} not stored yet. Leaving as soon as that is done; /quit or Ctrl-D again leaves at once.")
            return
        self.interrupt()

    def interrupt(self) -> None:
        """Leave."""
        if not self.done.called:
            self.done.callback(None)


def _common(texts: Sequence[str]) -> str:
    """What they all begin with, whatever their case."""
    shortest = min(texts, key=len, default="")
    for length in range(len(shortest), 0, -1):
        if all(text[:length].casefold() == shortest[:length].casefold() for text in texts):
            return shortest[:length]
    return ""


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
