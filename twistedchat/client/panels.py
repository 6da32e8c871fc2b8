"""The panels of all rooms, and reading back in them: more of the log is read when it is wanted.

Knows the conversation. Must not know a terminal or its keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from twistedchat.client.history import page
from twistedchat.client.paint import Painter
from twistedchat.client.panel import Panel
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twistedchat.client.controller import Controller
    from twistedchat.client.notifications import JoinedRoom
    from twistedchat.client.paint import Fragments

__all__ = ["Panels"]

PAGE_EVENTS = 200
"""Number of events read at once when the person reads back: several screens. Source: chosen."""

MAX_BACK_EVENTS = 20_000
"""Upper bound of how far ``/since`` goes back on the screen, in events: 100 pages, some seconds. Source: chosen."""


class Panels:
    """One panel for each room, and one for what is told while there is none.

    Attributes:
        redraw: Called when something has changed; to be set before anything happens.
    """

    redraw: Callable[[], None]

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._panels: dict[JoinedRoom | None, Panel] = {None: Panel()}
        self._height = 20
        self._fetching = False

    @property
    def current(self) -> Panel:
        """The panel of the room that the person talks in."""
        return self.of(self._controller.room)

    def of(self, room: JoinedRoom | None) -> Panel:
        """The panel of a room."""
        panel = self._panels.get(room)
        if panel is None:
            panel = self._panels[room] = Panel(self._controller.settings.zone)
        return panel

    def others(self, room: JoinedRoom) -> Iterable[Panel]:
        """The panels of all other rooms."""
        return [panel for other, panel in self._panels.items() if other is not room]

    @property
    def painter(self) -> Painter:
        """Paints as the settings say."""
        settings = self._controller.settings
        return Painter(self._controller.conversation.name, settings.seq, settings.zone)

    def settings_changed(self) -> None:
        """Show all as the settings say."""
        for panel in self._panels.values():
            panel.transcript.set_zone(self._controller.settings.zone)
        self.redraw()

    def visible(self, width: int, height: int) -> list[Fragments]:
        """The rows of the room that the person sees."""
        self._height = height
        return self.current.visible(self.painter, width, height, connected=self._controller.conversation.connected)

    # -- reading back ----------------------------------------------------------------------------

    def scroll(self, pages: int) -> None:
        """Read ``pages`` pages back, and more of the log if that is needed."""
        panel, room = self.current, self._controller.room
        panel.scroll = wanted = max(0, panel.scroll + pages * max(1, self._height - 1))
        transcript = panel.transcript
        if room is not None and transcript.first > 1 and len(transcript.entries) < wanted + self._height:

            def fetched(_: object) -> None:
                panel.scroll = max(panel.scroll, wanted)
                self.redraw()

            Deferred.fromCoroutine(self._fetch(room, transcript.first - 1)).addCallback(fetched)
        self.redraw()

    def scroll_down(self) -> None:
        """Follow what comes."""
        self.current.scroll = 0
        self.redraw()

    def go_back(self, room: JoinedRoom, seq: int) -> None:
        """Read back to an event."""
        panel = self.of(room)
        if panel.transcript.last - seq > MAX_BACK_EVENTS:
            self._controller.tell(
                f"That is more than {MAX_BACK_EVENTS:,} lines back: /history before {seq + 21} shows the first of them."
            )
            return

        def fetched(_: object) -> None:
            panel.scroll_to(seq + 1, self.painter, self._height)
            self.redraw()

        Deferred.fromCoroutine(self._fetch(room, seq + 1)).addCallback(fetched)

    async def _fetch(self, room: JoinedRoom, first: int) -> None:
        """Read pages of the log until an event with this seq, or an earlier one, is there."""
        transcript = self.of(room).transcript
        if self._fetching:
            return
        self._fetching = True
        try:
            while transcript.first > max(1, first):
                events = await page(
                    self._controller.conversation, room.name, before=transcript.first, limit=PAGE_EVENTS
                )
                if not transcript.add_older(events):
                    return
        except ChatError as error:
            self._controller.tell(error.text)
        finally:
            self._fetching = False
