"""The client on a terminal that only takes lines: what is shown there, and what is typed.

Must not know a socket, nor how a line is worded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.controller import NETWORK_CODES
from twistedchat.client.messages import Tell
from twistedchat.client.notifications import Connected, Disconnected, JoinAccepted
from twistedchat.client.plain_lines import PlainLines, welcome
from twistedchat.events import Event
from twistedchat.formats.base import Change
from twistedchat.formats.plain import told
from twistedchat.mentions import mentions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.client.controller import Controller
    from twistedchat.client.notifications import JoinedRoom, Notification, OutgoingLine
    from twistedchat.client.stdio import Stream

__all__ = ["PlainTerminal"]


class PlainTerminal:
    """A person at a terminal that takes lines; also the controller's view, and the user of its stdio.

    Attributes:
        stream: To be set before anything happens.
        done: Fires when the person leaves.
    """

    stream: Stream

    def __init__(self, controller: Controller) -> None:
        self.done: Deferred[None] = Deferred()
        self._controller = controller
        self._lines = PlainLines()
        self._lost = False
        self._introduced: set[JoinedRoom] = set()
        controller.view = self

    # -- the user of stdio -----------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """A line was typed."""
        self._controller.typed(text)

    def ended(self) -> None:
        """Ctrl-D."""
        self.finish()

    def closed(self) -> None:
        """The terminal is gone."""
        self.finish()

    def full(self) -> None:
        """The terminal takes no more for now."""
        self._controller.conversation.hold()

    def drained(self) -> None:
        """The terminal takes more."""
        self._controller.conversation.go_on()

    # -- the controller's view -------------------------------------------------------------------------

    def notified(self, notification: Notification) -> None:
        """Write what happened."""
        match notification:
            case Event(room=name):
                self._show([notification], name)
            case Change(room=name):
                self.stream.write(self._lines.change(notification, with_room=self._is_elsewhere(name)))
            case Tell(who, text, _, kind):
                self.tell(told(who, text, kind))
            case Disconnected(error):
                self._lost = True
                if error.code in NETWORK_CODES:
                    self.tell(f"{error.text} Trying to connect again.")
            case Connected() if self._lost:
                self._lost = False
                self.tell("Connected again.")
            case JoinAccepted(room) if room not in self._introduced:
                self._introduced.add(room)
                self.tell(welcome(self._controller.conversation.name, room))
                if room.topic:
                    self.tell(f"The topic is: {room.topic}")

    def _show(self, events: Sequence[Event], name: str) -> None:
        """Write events of a room."""
        settings = self._controller.settings
        for event in events:
            line = self._lines.events(
                [event], zone=settings.zone, numbered=settings.seq, with_room=self._is_elsewhere(name)
            )
            self.stream.write(line.removesuffix("\n") + "\a\n" if self._rings(event) else line)

    def _rings(self, event: Event) -> bool:
        """Whether somebody else says the person's name, and the person wants to be called."""
        own = self._controller.conversation.name
        return self._controller.settings.bell and event.who != own and mentions(own, event.text)

    def _is_elsewhere(self, name: str) -> bool:
        here = self._controller.room
        return here is None or here.name != name

    def tell(self, text: str) -> None:
        """Write a line for this person alone."""
        self.stream.write(self._lines.note(text))

    def said(self, line: OutgoingLine) -> None:
        """Nothing: the line comes back, stamped."""

    def entered(self, room: JoinedRoom) -> None:
        """Say so, unless `JoinAccepted` will."""
        if room in self._introduced:
            self.tell(f"You talk in #{room.name} now.")

    def show_page(self, room: JoinedRoom, events: Sequence[Event]) -> None:
        """Write events of the past."""
        self._show(events, room.name)

    def go_back(self, room: JoinedRoom, seq: int) -> None:
        """Have the server begin there again."""
        self.tell(f"From {seq + 1} on in #{room.name}:")
        self._controller.conversation.join(room.name, seq)

    def settings_changed(self) -> None:
        """Nothing: what is written from now on is written so."""

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.finish()

    def finish(self) -> None:
        """Leave."""
        if not self.done.called:
            self.done.callback(None)
