"""The full terminal client: what a person sees of the rooms.

Must not know how anything is drawn or sent, nor what a key does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.frame import Frame
from twistedchat.client.messages import Tell
from twistedchat.client.notifications import JoinAccepted, LineRefused, LineStored, LogReset
from twistedchat.client.panels import Panels
from twistedchat.client.plain_lines import presence_sentences, welcome
from twistedchat.client.screen_keys import ScreenKeys
from twistedchat.client.status import StatusLine
from twistedchat.events import Event
from twistedchat.formats.base import Change
from twistedchat.formats.plain import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.client.controller import Controller
    from twistedchat.client.notifications import JoinedRoom, Notification, OutgoingLine
    from twistedchat.client.state import State

__all__ = ["TerminalScreen"]


class TerminalScreen:
    """A person at a full terminal: the controller's view.

    Args:
        controller: The person's controller.
        coloured: Whether to use colours.
        state: Knows where the person left off the last time.

    Attributes:
        done: Fires when the person leaves.
        keys: What the keys do.
    """

    def __init__(self, controller: Controller, *, coloured: bool = True, state: State | None = None) -> None:
        self.done: Deferred[None] = Deferred()
        self._controller = controller
        self._left_off = state
        self._panels = Panels(controller)
        self._status = StatusLine(controller, self._panels)
        self.keys = ScreenKeys(self, controller, self._panels, self._status)
        self._frame = Frame(self.keys, coloured=coloured)
        self._panels.redraw = self._frame.redraw
        self._introduced: set[JoinedRoom] = set()
        self._asked = False
        controller.view = self

    def typed(self, text: str) -> None:
        """Say a line, or do what it asks; whoever goes on talking does not want to leave any more."""
        self._asked = self._asked and text.strip().startswith("/")
        self._controller.typed(text)

    # -- the controller's view -------------------------------------------------------------------

    def notified(self, notification: Notification) -> None:
        """Show what happened."""
        match notification:
            case Event():
                self._event(notification)
            case Change(room=name):
                room = self._controller.conversation.rooms.get(name)
                for sentence in presence_sentences(notification):
                    self._panels.of(room).transcript.note(sentence)
            case Tell(who, text, _, kind):
                self.tell(told(who, text, kind))
                self._ring()
            case LineStored(line, seq):
                self._panels.of(line.room).transcript.settle(line, seq)
                if self._asked and not self._controller.conversation.unstored:
                    self.interrupt()
            case LineRefused(line, _):
                self._panels.of(line.room).transcript.refuse(line)
            case LogReset(room=log_room):
                self._panels.of(log_room).transcript.clear()
            case JoinAccepted(room=joined_room):
                self._joined(joined_room)
        self._status.notified(notification)
        self._frame.redraw()

    def _event(self, event: Event) -> None:
        room = self._controller.conversation.rooms.get(event.room)
        panel = self._panels.of(room)
        painter = self._panels.painter
        panel.add(event, painter)
        called = event.who != self._controller.conversation.name and painter.calls(event.text)
        if room is not self._controller.room:
            panel.transcript.unread += 1
            panel.transcript.called |= called
        if called:
            self._ring()

    def _ring(self) -> None:
        if self._controller.settings.bell:
            self._frame.ring()

    def _joined(self, room: JoinedRoom) -> None:
        if room not in self._introduced:
            self._introduced.add(room)
            transcript = self._panels.of(room).transcript
            transcript.mark = (self._left_off and self._left_off.last(room.name)) or 0
            transcript.note(welcome(self._controller.conversation.name, room))
            if room.topic:
                transcript.note(f"The topic is: {room.topic}")

    def tell(self, text: str) -> None:
        """Show a line for this person alone, in the room that the person sees."""
        self._panels.current.transcript.note(text)
        self._frame.redraw()

    def said(self, line: OutgoingLine) -> None:
        """Show a line that is on its way."""
        transcript = self._panels.of(line.room).transcript
        transcript.mark = 0
        transcript.say(line)
        self._frame.redraw()

    def entered(self, room: JoinedRoom) -> None:
        """Turn to a room."""
        for panel in self._panels.others(room):
            if not panel.transcript.unread:
                panel.transcript.mark = panel.transcript.last
        transcript = self._panels.of(room).transcript
        transcript.unread, transcript.called = 0, False
        self._frame.redraw()

    def show_page(self, room: JoinedRoom, events: Sequence[Event]) -> None:
        """Show events of the past again."""
        self._panels.of(room).transcript.quote(events)
        self._frame.redraw()

    def go_back(self, room: JoinedRoom, seq: int) -> None:
        """Read back to an event."""
        self._panels.go_back(room, seq)

    def settings_changed(self) -> None:
        """Show all as the settings say."""
        self._panels.settings_changed()

    # -- coming and going ------------------------------------------------------------------------

    async def run(self) -> None:
        """Draw, and take keys, until the person leaves or the terminal is gone."""
        self.done.addCallback(lambda _: self._frame.close())
        await self._frame.run()
        self.interrupt()

    def finish(self) -> None:
        """Leave, or ask first if something is not stored yet."""
        unstored = len(self._controller.conversation.unstored)
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
