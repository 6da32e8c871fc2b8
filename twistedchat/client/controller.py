"""One person at a terminal: what is typed goes out, notifications come in, whatever the screen is.

Knows the conversation and the person's settings. Must not know how anything is drawn: it tells a `View`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.commands import run_command
from twistedchat.client.conversation import Conversation
from twistedchat.client.lines import pieces
from twistedchat.client.messages import Invitation, Removal, ServerError, Tell
from twistedchat.client.notifications import (
    Connected,
    JoinMerged,
    JoinRefused,
    LineDelayed,
    LineRefused,
    LineStored,
    LogReset,
    Retrying,
    Stopped,
)
from twistedchat.client.settings import DisplaySettings
from twistedchat.errors import ChatError
from twistedchat.events import Event, Kind
from twistedchat.formats.base import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.client.notifications import JoinedRoom, Notification
    from twistedchat.client.view import View

__all__ = ["NETWORK_CODES", "Controller"]

NETWORK_CODES = frozenset({"lost", "unreachable"})
"""Codes of errors whose reason is the network: all that a person can do is wait. Source: `connection`."""


class Controller:
    """One person at a terminal.

    Args:
        name: The name to go by.
        numbered: If the name is taken, take it with a number.
        seconds: Tells the time, in seconds since 1970.
        saw: Is told the room and the seq of every event.

    Attributes:
        conversation: The conversation.
        seconds: Tells the time, in seconds since 1970.
        room: The room that the person talks in, or None.
        last_teller: Who sent the last private line, or "".
        farewell: The person's parting word for the others, or "".
        settings: How the person wants to be shown things.
        view: What shows it; to be set before anything happens.
    """

    view: View

    def __init__(
        self,
        name: str,
        seconds: Callable[[], float],
        *,
        numbered: bool = False,
        saw: Callable[[str, int], None] | None = None,
    ) -> None:
        self.conversation = Conversation(name, self.notified, numbered=numbered)
        self.seconds = seconds
        self.room: JoinedRoom | None = None
        self.last_teller = ""
        self.farewell = ""
        self.settings = DisplaySettings()
        self._saw = saw
        self._trouble = ""
        self._delay = ""

    # -- notifications ---------------------------------------------------------------------------

    def notified(self, notification: Notification) -> None:
        """Take note of what happened, and show it if the person wants to see it."""
        if isinstance(notification, Event) and self._saw is not None:
            self._saw(notification.room, notification.seq)
        if self._is_hidden(notification):
            return
        self._take_note(notification)
        self.view.notified(notification)
        if isinstance(notification, LogReset | Invitation | Removal):
            self.tell(notification.text)

    def _take_note(self, notification: Notification) -> None:
        match notification:
            case Tell():
                self.last_teller = notification.who
            case JoinMerged(asked, room) if asked is self.room:
                self.talk_in(room)
            case JoinRefused(room, error):
                if room is self.room:
                    self._talk_elsewhere()
                self.tell(error.text)
            case LineRefused(_, error):
                self.tell(error.text)
            case Removal(room=name) if self.room is not None and self.room.name == name:
                self._talk_elsewhere()
            case LineDelayed(_, error):
                self._tell_delay(error)
            case LineStored():
                self._delay = ""
            case Connected():
                self._trouble = ""
            case Retrying(_, error):
                self._tell_trouble(error)
            case Stopped(error):
                self.tell(f"{error.text} This client does not connect again by itself: /quit ends it.")

    def _is_hidden(self, notification: Notification) -> bool:
        """Whether the person does not want to see it."""
        match notification:
            case Event():
                return self._hides(notification)
            case Tell() | Invitation():
                return self.settings.ignores(notification.who)
            case Change():
                return not self.settings.presence
        return False

    def _hides(self, event: Event) -> bool:
        return bool(event.who) and self.settings.ignores(event.who)

    def _tell_trouble(self, error: ChatError) -> None:
        """The server is there and does not take us: once, because the person may have to do something."""
        if error.code not in NETWORK_CODES and error.text != self._trouble:
            self._trouble = error.text
            # What the server answers to our hello says itself what is to be done.
            self.tell(error.text if isinstance(error, ServerError) else f"{error.text} Trying to connect again.")

    def _tell_delay(self, error: ChatError) -> None:
        """Lines can't be stored now: once, because they are sent again without the person."""
        if error.text != self._delay:
            self._delay = error.text
            self.tell(f"What you say is kept, and sent again until it is stored. The server says: {error.text}")

    def tell(self, text: str) -> None:
        """Show a line for this person alone."""
        self.view.tell(text)

    def show_page(self, room: JoinedRoom, events: Sequence[Event]) -> None:
        """Show events of the past, but for those that the person does not want to see."""
        self.view.show_page(room, [event for event in events if not self._hides(event)])

    # -- what is typed ---------------------------------------------------------------------------

    def typed(self, text: str) -> None:
        """Do what a typed line asks: a command, or something to say. Empty lines are nothing."""
        text = text.rstrip("\r\n")
        if not text.strip():
            return
        Deferred.fromCoroutine(self._answer(text))

    async def _answer(self, text: str) -> None:
        try:
            await self._do(text)
        except ChatError as error:
            self.tell(error.text)

    async def _do(self, text: str) -> None:
        if not text.startswith("/") or text.startswith("//"):
            self.say(text.removeprefix("/") if text.startswith("//") else text)
            return
        name, _, rest = text[1:].partition(" ")
        await run_command(self, name, rest.strip())

    def say(self, text: str, kind: Kind = Kind.SAY) -> None:
        """Say something in the room that the person talks in.

        Raises:
            ChatError: ``not-in-room``: the person is in none.
        """
        room = self.here
        for piece in pieces(text) or [""]:
            self.view.said(self.conversation.say(room, piece, kind))

    # -- rooms -----------------------------------------------------------------------------------

    @property
    def here(self) -> JoinedRoom:
        """The room that the person talks in.

        Raises:
            ChatError: ``not-in-room``: none.
        """
        if self.room is None:
            raise ChatError("not-in-room", "You are in no room: /join #room enters one, /rooms lists them.")
        return self.room

    def enter(self, name: str, key: str = "") -> None:
        """Enter a room, and talk there from now on."""
        self.talk_in(self.conversation.join(name, key=key))

    def talk_in(self, room: JoinedRoom) -> None:
        """Talk in a room that the person is in."""
        self.room = room
        self.view.entered(room)

    def leave(self, room: JoinedRoom) -> None:
        """Leave a room; then talk in another, if there is one."""
        self.conversation.leave(room)
        rooms = list(self.conversation.rooms.values())
        was_here = room is self.room
        if was_here:
            self.room = rooms[-1] if rooms else None
        self.tell(f"You left #{room.name}.")
        if was_here and self.room is not None:
            self.view.entered(self.room)

    def _talk_elsewhere(self) -> None:
        rooms = list(self.conversation.rooms.values())
        self.room = None
        if rooms:
            self.talk_in(rooms[-1])
