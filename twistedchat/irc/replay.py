"""What was said before a client came into a room, shown to it as such: in a batch, or as notices of one who only tells.

Knows how it is told. Must not know why it is: on joining, or on coming back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.events import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Event
    from twistedchat.formats.base import Page

__all__ = ["Replay"]


class Replay:
    """Events up to a seq are told as what was said earlier; those behind it are live.

    Args:
        last: The seq of the last one that was said earlier.
        tell: Renders them all, oldest first; at most a few hundred.
        is_left_out: Whether an event is not shown at all.

    Attributes:
        last: As above.
    """

    __slots__ = ("_events", "_is_left_out", "_tell", "last")

    def __init__(
        self,
        last: int,
        tell: Callable[[Sequence[Event]], bytes],
        is_left_out: Callable[[Event], bool] = lambda event: event.kind is Kind.TOPIC,
    ) -> None:
        self.last = last
        self._tell = tell
        self._is_left_out = is_left_out
        self._events: list[Event] = []

    def show(self, page: Page) -> bytes:
        """What was said earlier of a page, which follows on those shown before; the rest of it is live."""
        earlier = [event for event in page.events if event.seq <= self.last]
        self._events += [event for event in earlier if not self._is_left_out(event)]
        return self._tell(self._events) if page.seq >= self.last and self._events else b""
