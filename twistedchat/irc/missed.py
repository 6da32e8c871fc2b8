"""What a client that comes back has missed, as it is told: said as ever, but marked off from what is live.

Pure. Knows how far the past goes in each room. Must not know whose connection it is, nor how bytes are sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twistedchat.irc.retold import LIVE, chathistory, notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Event
    from twistedchat.irc.format import IrcFormat

__all__ = ["Missed", "Parted"]


class Parted(NamedTuple):
    """A run of events, parted where the past ends.

    Attributes:
        past: What was missed, as bytes.
        live: The events behind it.
    """

    past: bytes
    live: Sequence[Event]


class Missed:
    """The rooms in which a client is still to be shown what it has missed.

    Args:
        reference: Gives the reference of the next batch; None for a client that knows no batches: what it missed
            stands between two notices.
    """

    __slots__ = ("_last", "_reference")

    def __init__(self, reference: Callable[[], str] | None) -> None:
        self._reference = reference
        self._last: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether there is such a room."""
        return bool(self._last)

    def expect(self, room: str, last: int) -> None:
        """What is shown of this room from now on was missed, up to this seq."""
        self._last[room] = last

    def forget(self, room: str) -> None:
        """The room is not shown any more."""
        self._last.pop(room, None)

    def part(self, events: Sequence[Event], form: IrcFormat) -> Parted:
        """Tell what was missed of a run of events.

        Args:
            events: Of one room, at least one, oldest first, following on those told before.
            form: How the client is shown events.
        """
        room = events[0].room
        last = self._last.get(room)
        if last is None:
            return Parted(b"", events)
        past = [event for event in events if event.seq <= last]
        if events[-1].seq >= last:
            # Also if its end can't be read any more.
            del self._last[room]
        if self._reference is not None:
            data = b"".join(chathistory(form, self._reference(), room, past)) if past else b""
        else:
            data = b"".join(map(form.line, past)) + (b"" if room in self._last else notice(room, LIVE))
        return Parted(data, events[len(past) :])
