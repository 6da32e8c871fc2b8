"""What the keys of the full screen do. Must not know how anything is drawn or sent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from twistedchat.client.completion import candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.client.controller import Controller
    from twistedchat.client.paint import Fragments
    from twistedchat.client.panels import Panels
    from twistedchat.client.status import StatusLine

__all__ = ["CERTAIN_SECONDS", "ScreenActions", "ScreenKeys"]

CERTAIN_SECONDS = 3.0
"""Time within which a second Ctrl-C leaves, in seconds: longer than it takes to read what the first one says.

Source: chosen.
"""


class ScreenActions(Protocol):
    """What the keys need of the screen."""

    def typed(self, text: str) -> None:
        """Say a line, or do what it asks."""
        ...

    def finish(self) -> None:
        """Leave, or ask first if something is not stored yet."""
        ...

    def interrupt(self) -> None:
        """Leave."""
        ...


class ScreenKeys:
    """The delegate of the screen's frame (`frame.FrameDelegate`)."""

    def __init__(self, screen: ScreenActions, controller: Controller, panels: Panels, status: StatusLine) -> None:
        self._screen = screen
        self._controller = controller
        self._panels = panels
        self._status = status
        self._interrupted_at = -math.inf

    def visible(self, width: int, height: int) -> list[Fragments]:
        """The rows of the room that the person sees."""
        return self._panels.visible(width, height)

    def status(self) -> Fragments:
        """The line above the one that is typed."""
        return self._status.fragments()

    def typed(self, text: str) -> None:
        """Say the line, or do what it asks."""
        self._interrupted_at = -math.inf
        self._panels.scroll_down()
        self._screen.typed(text)

    def complete(self, before: str) -> tuple[int, str]:
        """Complete the word as far as it is clear; if it is not, show what it could be."""
        word, found = candidates(self._controller, before)
        common = found[0] if len(found) == 1 else _common([text.rstrip(": ") for text in found])
        if len(common) > len(word):
            return len(word), common
        if found:
            self._controller.tell("  ".join(text.rstrip(": ") for text in found))
        return 0, ""

    def scroll(self, pages: int) -> None:
        """Read ``pages`` pages back, or forward if negative."""
        self._panels.scroll(pages)

    def scroll_down(self) -> None:
        """Follow what comes."""
        self._panels.scroll_down()

    def switch(self, step: int) -> None:
        """Turn to the next room, or the one before."""
        rooms = list(self._controller.conversation.rooms.values())
        if rooms:
            here = rooms.index(self._controller.room) if self._controller.room in rooms else 0
            self._controller.talk_in(rooms[(here + step) % len(rooms)])

    def switch_to(self, place: int) -> None:
        """Turn to a room by its place."""
        rooms = list(self._controller.conversation.rooms.values())
        if place < len(rooms):
            self._controller.talk_in(rooms[place])

    def interrupted(self, *, typing: bool) -> None:
        """Leave, if it is the second Ctrl-C within a moment."""
        now = self._controller.seconds()
        if now - self._interrupted_at < CERTAIN_SECONDS and not typing:
            self._screen.interrupt()
            return
        self._interrupted_at = now
        self._controller.tell("Ctrl-C again leaves.")

    def finish(self) -> None:
        """Leave, or ask first."""
        self._screen.finish()


def _common(texts: Sequence[str]) -> str:
    """What they all begin with, whatever their case."""
    shortest = min(texts, key=len, default="")
    for length in range(len(shortest), 0, -1):
        if all(text[:length].casefold() == shortest[:length].casefold() for text in texts):
            return shortest[:length]
    return ""
