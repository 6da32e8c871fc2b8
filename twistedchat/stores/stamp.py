"""What every store on one machine does alike: how a batch of drafts becomes events, which rooms count as the same.

Knows no store and no clock.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.errors import ChatError
from twistedchat.events import Event
from twistedchat.stores.base import Refused, Stored, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twistedchat.events import Draft
    from twistedchat.names import Register
    from twistedchat.stores.base import Outcome

__all__ = ["Head", "Stamped", "know", "outcomes_by_key", "stamp"]


class Head(NamedTuple):
    """The seq and at of a room's last event; zeros for a room that has none."""

    seq: int = 0
    at: int = 0


_NO_EVENTS = Head()


class Stamped(NamedTuple):
    """A batch with its place in the log.

    Attributes:
        outcomes: One for each draft, in the same order.
        fresh: Those that the log does not hold yet, each with its key, in the log's order.
        heads: The new heads of the rooms that grow by them.
    """

    outcomes: list[Stored]
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
        now_ms: Milliseconds since 1970. While it is less than the at of a room's head, that room's clock
            goes on by 1 ms an event.
    """
    outcomes: list[Stored] = []
    fresh: list[tuple[Event, str | None]] = []
    grown: dict[str, Head] = {}
    marked: dict[tuple[str, str], Event] = {}
    for draft in batch:
        room, key = draft.room, draft.key
        event = None if key is None else standing.get((room, key)) or marked.get((room, key))
        if event is not None:
            outcomes.append(Stored(event, fresh=False))
            continue
        last_seq, last_at = grown.get(room) or heads.get(room, _NO_EVENTS)
        # By position, not by name: one is made for every line.
        at = now_ms if now_ms >= last_at else last_at + 1
        event = Event(room, last_seq + 1, at, draft.kind, draft.who, draft.text, draft.tags)
        grown[room] = Head(event.seq, event.at)
        fresh.append((event, key))
        outcomes.append(Stored(event, True))
        if key is not None:
            marked[room, key] = event
    return Stamped(outcomes, fresh, grown)


def outcomes_by_key(batch: Sequence[Draft], standing: Mapping[tuple[str, str], Event]) -> list[Outcome]:
    """What a store that keeps no ids answers to `Store.outcomes`.

    Args:
        batch: The drafts.
        standing: As for `stamp`.
    """
    return [_standing(draft, standing) for draft in batch]


def _standing(draft: Draft, standing: Mapping[tuple[str, str], Event]) -> Outcome:
    event = None if draft.key is None else standing.get((draft.room, draft.key))
    return Refused(StoreError("It was not stored.")) if event is None else Stored(event, fresh=False)


def know(names: Register[str], rooms: Iterable[str]) -> None:
    """Add rooms to a register, each as its own owner; of those that count as the same only the first."""
    for room in rooms:
        with contextlib.suppress(ChatError):
            names.claim(room, room)
