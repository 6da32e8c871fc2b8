"""How a batch of drafts becomes events: the same in every store.

Knows no store and no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from twistedchat.events import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twistedchat.events import Draft

__all__ = ["Head", "Stamped", "stamp"]


class Head(NamedTuple):
    """The seq and at of a room's last event; zeros for a room that has none."""

    seq: int = 0
    at: int = 0


_NO_EVENTS = Head()


class Stamped(NamedTuple):
    """A batch with its place in the log.

    Attributes:
        events: One for each draft, in the same order.
        fresh: Those that the log does not hold yet, each with its key, in the log's order.
        heads: The new heads of the rooms that grow by them.
    """

    events: list[Event]
    fresh: list[tuple[Event, str | None]]
    heads: dict[str, Head]


def stamp(
    batch: Sequence[Draft],
    *,
    heads: Mapping[str, Head],
    standing: Mapping[tuple[str, str], Event],
    now_ms: int,
) -> Stamped:
    """Give each draft its seq and at; one whose room and key already stand becomes the event that stands.

    Args:
        batch: The drafts, in the order of arrival.
        heads: The heads of all rooms that have events. Not changed.
        standing: Stored events by room and key; those of the batch must be among them. Not changed.
        now_ms: Milliseconds since 1970. A room whose head is later keeps its head's time.
    """
    events: list[Event] = []
    fresh: list[tuple[Event, str | None]] = []
    grown: dict[str, Head] = {}
    marked: dict[tuple[str, str], Event] = {}
    for room, kind, who, text, key in batch:
        event = None if key is None else standing.get((room, key)) or marked.get((room, key))
        if event is None:
            head = grown.get(room) or heads.get(room, _NO_EVENTS)
            event = Event(room, head.seq + 1, max(now_ms, head.at), kind, who, text)
            grown[room] = Head(event.seq, event.at)
            fresh.append((event, key))
            if key is not None:
                marked[room, key] = event
        events.append(event)
    return Stamped(events, fresh, grown)
