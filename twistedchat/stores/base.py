"""What the hub needs of a store. Must not know any store, nor who reads or writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Draft, Event

__all__ = ["RoomSummary", "Store", "StoreError"]


class StoreError(Exception):
    """The store can't be opened, or did not take a batch. Its text is one sentence for the operator."""


class RoomSummary(NamedTuple):
    """A room as the store knows it: its name, the last event's seq and at (0 if none), and its topic."""

    name: str
    seq: int
    at: int
    topic: str


class Store(Protocol):
    """Keeps the logs of all rooms.

    One caller appends at a time: the hub has at most one `append` under way. Reads may come at any
    time, also while an `append` is under way, and must not wait for it.
    """

    async def open(self) -> None:
        """Make ready; called once, first.

        Raises:
            StoreError: It can't be used. The text says why and what to do; nothing was changed.
        """
        ...

    async def append(self, batch: Sequence[Draft]) -> Sequence[Event]:
        """Make the batch durable, all or nothing.

        Args:
            batch: At least one draft, in the order of arrival.

        Returns:
            The drafts as events, in the same order. A draft whose room and key already stand (also
            earlier in this batch) comes back as the event that stands.

        Raises:
            StoreError: Nothing of the batch was stored; a later `append` may succeed again.
        """
        ...

    async def read(
        self, room: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Sequence[Event]:
        """A page of a room's log, oldest first.

        Args:
            room: The room's name, spelled as in the log.
            after: Only events with a greater seq. With it the page begins at the oldest of them.
            before: Only events with a lesser seq. Without ``after`` the page ends at the newest of them.
            limit: At most so many events, at least 1.

        Returns:
            The events; empty for a room that has none.

        Raises:
            StoreError: It could not be read.
        """
        ...

    async def rooms(self) -> Sequence[RoomSummary]:
        """Every room that has an event. Asked once, after `open`."""
        ...

    async def close(self) -> None:
        """Let go of everything, after what is under way. Called once, last; also after a failed `open`."""
        ...
