"""The line above the one that is typed: the room, its people, the connection, and what is unread elsewhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twistedchat.client.notifications import Connected, Disconnected, Retrying, Stopped

if TYPE_CHECKING:
    from twistedchat.client.controller import Controller
    from twistedchat.client.notifications import Notification
    from twistedchat.client.paint import Fragments
    from twistedchat.client.panels import Panels

__all__ = ["StatusLine"]


class StatusLine:
    """Knows how it stands with the connection, and asks the panels for the rest."""

    def __init__(self, controller: Controller, panels: Panels) -> None:
        self._controller = controller
        self._panels = panels
        self._state = "connecting"
        self._retry_at = math.inf

    def notified(self, notification: Notification) -> None:
        """Take note of news of the connection."""
        match notification:
            case Connected():
                self._state, self._retry_at = "connected", math.inf
            case Disconnected():
                self._state = "reconnecting"
            case Retrying(seconds, _):
                self._state, self._retry_at = "reconnecting", self._controller.seconds() + seconds
            case Stopped():
                self._state, self._retry_at = "not connected", math.inf

    def fragments(self) -> Fragments:
        """The line, as styled words."""
        conversation, room = self._controller.conversation, self._controller.room
        where = f"#{room.name}  {_people(room.count)}" if room is not None else "no room"
        parts: Fragments = [("", f" {where}  {self._connection()}")]
        if conversation.unstored and not conversation.connected:
            parts.append(("class:status.unread", f"  {len(conversation.unstored)} waiting"))
        parts += self._others()
        if self._panels.current.scroll:
            parts.append(("class:status.unread", "  reading back: End returns"))
        return parts

    def _others(self) -> Fragments:
        """The other rooms, each with its number and what is unread there."""
        parts: Fragments = []
        for number, other in enumerate(self._controller.conversation.rooms.values(), 1):
            if other is not self._controller.room:
                transcript = self._panels.of(other).transcript
                unread = f" {transcript.unread}{'!' if transcript.called else ''}" if transcript.unread else ""
                parts.append(("class:status.unread" if unread else "", f"  {number}:#{other.name}{unread}"))
        return parts

    def _connection(self) -> str:
        seconds = self._retry_at - self._controller.seconds()
        if self._state == "reconnecting" and math.isfinite(seconds) and seconds > 0:
            return f"reconnecting in {math.ceil(seconds)} s"
        return self._state


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
