"""What a person's controller needs of a screen. Must not know any screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.client.notifications import JoinedRoom, Notification, OutgoingLine
    from twistedchat.events import Event

__all__ = ["View"]


class View(Protocol):
    """What shows a person the conversation."""

    def notified(self, notification: Notification) -> None:
        """Show what happened; what the person does not want to see is left out already."""
        ...

    def tell(self, text: str) -> None:
        """Show a line for this person alone."""
        ...

    def said(self, line: OutgoingLine) -> None:
        """The person has said a line; it is not stored yet."""
        ...

    def entered(self, room: JoinedRoom) -> None:
        """The person talks in this room from now on."""
        ...

    def show_page(self, room: JoinedRoom, events: Sequence[Event]) -> None:
        """Show events of the past."""
        ...

    def go_back(self, room: JoinedRoom, seq: int) -> None:
        """Show everything in a room from after this seq on."""
        ...

    def settings_changed(self) -> None:
        """Show everything as the settings say from now on."""
        ...

    def finish(self) -> None:
        """The person wants to leave."""
        ...
