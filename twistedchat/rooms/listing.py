"""The list of rooms: those that somebody is in, here or on another node, and those in which something was said.

Pure: knows rooms and what the store says of them. Must not know who is in a room, nor how to ask a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.records import RoomEntry

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from twistedchat.rooms.room import Room
    from twistedchat.stores.base import RoomSummary

__all__ = ["by_count", "by_name"]


def by_name(
    live: Iterable[Room], stored: Sequence[RoomSummary], after: str, limit: int, mine: Container[str]
) -> Sequence[RoomEntry]:
    """A page of the list, sorted by name.

    Args:
        live: All rooms that somebody is in.
        stored: What the store knows: its first ``limit`` rooms behind ``after``.
        after: Only names greater than this.
        limit: Most entries.
        mine: The rooms of the one who asks.
    """
    # Behind the last of a whole page the store may know rooms that were not read.
    last = stored[-1].name if len(stored) >= limit else None
    merged = _merged((room for room in live if room.name > after and (last is None or room.name <= last)), stored, mine)
    return sorted(merged, key=lambda entry: entry.name)[:limit]


def by_count(
    live: Iterable[Room], stored: Sequence[RoomSummary], limit: int, mine: Container[str]
) -> Sequence[RoomEntry]:
    """The rooms with the most people, then some of those that nobody is in."""
    return sorted(_merged(live, stored, mine), key=lambda entry: (-entry.count, entry.name))[:limit]


def _merged(live: Iterable[Room], stored: Sequence[RoomSummary], mine: Container[str]) -> Iterable[RoomEntry]:
    entries = {room.name: RoomEntry(room.name, room.members, room.seq, room.topic, is_member=False) for room in stored}
    for room in live:
        if room.presence.count or room.seq:
            entries[room.name] = RoomEntry(
                room.name, room.presence.count, room.seq, room.topic, is_member=room.name in mine
            )
    return entries.values()
