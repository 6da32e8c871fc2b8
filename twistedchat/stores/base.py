"""The seam between the core and whatever keeps the logs. Must not know any store, nor who reads or writes."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Draft, Event

__all__ = [
    "ROOMS_PER_PAGE",
    "UNKNOWN",
    "DamagedError",
    "Outcome",
    "Refused",
    "RoomSummary",
    "Store",
    "StoreError",
    "Stored",
    "Unknown",
]

ROOMS_PER_PAGE = 1000
"""Most rooms in one answer of `Store.rooms`, unless the caller gives a limit.

In SQLite a page of them keeps the thread that reads for 9 ms. Source: measured with 20,000 rooms.
"""


class StoreError(Exception):
    """The store can't be opened, or did not do what it was asked. Its text is one sentence for the operator.

    It names files and what is wrong with them: it is for the daemon's log, not for the people in a room.
    """


class DamagedError(StoreError):
    """What stands in the store can't be read or is not understood, and trying again will not help."""


class RoomSummary(NamedTuple):
    """A room as the store knows it.

    Attributes:
        name: In the spelling that is kept.
        seq: Of the last event; 0 if there is none.
        at: Likewise.
        topic: What it is about, or "".
        members: How many people are in it on other nodes.
        hidden: Up to this seq its log is put away, and is never read again.
        topic_seq: The seq of the event that set the topic, if there is one.
    """

    name: str
    seq: int
    at: int
    topic: str
    members: int = 0
    hidden: int = 0
    topic_seq: int = 0


class Stored(NamedTuple):
    """The draft stands in the log.

    Attributes:
        event: As what it stands.
        fresh: This append stored it. False: its room and key stood already, and ``event`` is what stands.
    """

    event: Event
    fresh: bool


class Refused(NamedTuple):
    """The draft does not stand in the log, and never will.

    Attributes:
        error: Why, for the operator.
    """

    error: StoreError


class Unknown(enum.Enum):
    """Whether the draft stands is not known yet: `Store.outcomes` is to be asked, by the draft's id."""

    UNKNOWN = "unknown"


UNKNOWN: Final[Literal[Unknown.UNKNOWN]] = Unknown.UNKNOWN
"""The one value of `Unknown`."""

Outcome: TypeAlias = Stored | Refused | Unknown
"""What became of a draft."""


class Store(Protocol):
    """Keeps the logs of all rooms.

    One caller appends at a time: the core has at most one `append` or `outcomes` under way. Reads may come
    at any time, also while an `append` is under way, and must not wait for it.

    Attributes:
        identity: 8 lower-case letters and digits by which this log differs from every other one; made when
            the store is made (in memory: at each start). Valid after `open`.
    """

    identity: str

    async def open(self) -> None:
        """Make ready; called once, first.

        Raises:
            StoreError: It can't be used. The text says why and what to do; nothing was changed.
        """
        ...

    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        """Make the batch durable.

        Args:
            batch: At least one draft, in the order of arrival.

        Returns:
            One outcome for each draft, in the same order. A draft whose room and key already stand (also
            earlier in this batch) is stored as the event that stands, and not fresh.

        Raises:
            StoreError: Nothing of the batch was stored; a later `append` may succeed again.
        """
        ...

    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        """Ask again what became of drafts whose outcome was `UNKNOWN`. Stores nothing.

        A store on one machine never answers `UNKNOWN`, so it need not keep ids: it goes by the drafts' keys,
        and answers `Refused` for what it does not find by them.

        Args:
            batch: The drafts as they were appended; they are known by their ids.

        Returns:
            One outcome for each draft, in the same order.

        Raises:
            StoreError: The store could not be asked.
        """
        ...

    async def read(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int | None = None,
    ) -> Sequence[Event]:
        """A page of a room's log, oldest first; what is put away is never in it.

        Args:
            room: The room's name, spelled as in the log.
            after: Only events with a greater seq. With it the page begins at the oldest of them.
            before: Only events with a lesser seq. Without ``after`` the page ends at the newest of them.
            limit: At most so many events, at least 1.
            max_bytes: The UTF-8 bytes of the page's texts and tags together, at most; but one event comes in any case.
                With ``after`` the newest events that do not fit are left out, without it the oldest.

        Returns:
            The events; empty for a room that has none.

        Raises:
            StoreError: It could not be read.
            DamagedError: It could not be read, and trying again will not help.
        """
        ...

    async def room(self, name: str) -> RoomSummary:
        """The room that counts as this one (`names.Register.find`), as it stands now.

        Args:
            name: As `names.clean_room` gives it.

        Returns:
            The summary under the room's kept spelling; if no such room has an event, under the name that was
            asked for, with zeros.

        Raises:
            StoreError: It could not be read.
        """
        ...

    async def open_room(self, name: str) -> RoomSummary:
        """The same; somebody is about to enter it, so on all nodes it is the one that counts as this one from now on.

        Raises:
            StoreError: It could not be read.
        """
        return await self.room(name)

    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        """Rooms that have an event, or somebody in them on another node, sorted by name (by code point).

        A room of which all is put away counts as one that has none.

        Args:
            after: Only rooms with a greater name.
            limit: At most so many, at least 1.

        Raises:
            StoreError: They could not be read.
        """
        ...

    async def shut(self, room: str, *, is_shut: bool) -> None:
        """Mark that a room is closed now, or is no more; a room that is still marked at `open` is put away.

        Raises:
            StoreError: It could not be marked.
        """
        ...

    async def put_away(self, room: str) -> None:
        """All that stands in a room's log so far is never read again, and the mark that it is closed is gone.

        Where several nodes share the store this is not done while somebody is in the room on any of them.

        Raises:
            StoreError: It could not be done.
        """
        ...

    def follow(self, heard: Callable[[str, int], None]) -> None:
        """Call back with room and head (the last seq) whenever others have appended.

        What is told can be read by then: an empty page below the head means that the log has lost it.

        A store on one machine has no others, and never calls. To be called before `open`.
        """
        ...

    async def close(self) -> None:
        """Let go of everything, after what is under way. Called once, last; also after a failed `open`."""
        ...
