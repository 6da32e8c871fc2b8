"""What a client that comes back has missed, as it is told: said as ever, but marked off from what is live.

Pure. Knows how far the past goes in one room. Must not know whose connection it is, nor how bytes are sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.irc.retold import LIVE, chathistory, notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from twistedchat.formats.base import Page
    from twistedchat.irc.format import IrcFormat

__all__ = ["Missed"]


class Missed:
    """A room in which a client is still to be shown what it has missed; used as a `replay.Replay` is.

    Args:
        last: The seq of the last event that was missed.
        form: How the client is shown events.
        reference: Gives the reference of the next batch; None for a client that knows no batches: what it missed
            stands between two notices.
        opening: The first of them, by the time of the first event that was missed, in milliseconds since 1970.

    Attributes:
        last: As above.
    """

    __slots__ = ("_form", "_opening", "_reference", "last")

    def __init__(
        self, last: int, form: IrcFormat, reference: Callable[[], str] | None, opening: Callable[[int], str]
    ) -> None:
        self.last = last
        self._form = form
        self._reference = reference
        self._opening: Callable[[int], str] | None = opening

    def show(self, page: Page) -> bytes:
        """What was missed of a page, which follows on those shown before; the rest of it is live."""
        past = [event for event in page.events if event.seq <= self.last]
        room = page.events[0].room
        if self._reference is not None:
            return b"".join(chathistory(self._form, self._reference(), room, past)) if past else b""
        parts = [self._form.line(event) for event in past]
        if past and self._opening is not None:
            parts.insert(0, notice(room, self._opening(past[0].at)))
            self._opening = None
        if page.seq >= self.last and self._opening is None:
            # Also if the end of the past can't be read any more.
            parts.append(notice(room, LIVE))
        return b"".join(parts)
