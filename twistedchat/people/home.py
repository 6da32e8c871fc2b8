"""The seam between a register that spans nodes and the server that it serves.

Must not know how many nodes there are, nor what is done with what is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from twistedchat.errors import ChatError
    from twistedchat.profiles import Profile
    from twistedchat.records import Change, Standing

__all__ = ["Home"]


class Home(Protocol):
    """What a register that spans nodes needs of the server that it serves: `hub.Hub`."""

    def heads(self) -> Iterator[tuple[str, int, int]]:
        """The rooms that somebody here is in: each one's name, and its last event's seq and at."""
        ...

    def heard(self, room: str, head: int) -> None:
        """The log of a room goes up to this seq."""
        ...

    def set_others(
        self,
        room: str,
        names: Collection[str],
        *,
        renamed: Iterable[tuple[str, str]] = (),
        left: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Who is in a room on other nodes, now; as far as known, who was renamed, and who left with which words.

        ``names`` is a mapping where it is known how they are seen.
        """
        ...

    def seen_anew(self, name: str, before: Profile, now: Profile, rooms: Collection[str]) -> None:
        """Somebody on another node, who is in these rooms of ours, is seen otherwise."""
        ...

    def set_rules(self, room: str, standing: Standing, hints: Sequence[tuple[str, Sequence[Change]]]) -> None:
        """Ranks and rules of a room, as all nodes have them; as far as known, who has made which changes."""
        ...

    def cut_off(self, error: ChatError) -> None:
        """Nothing can be stored: refuse all that waits, and whatever is said until `joined_up`."""
        ...

    def joined_up(self) -> None:
        """Lines are taken again."""
        ...

    def log_lost(self, room: str, head: int, at: int) -> None:
        """The log of a room ends before what its readers were shown, or holds something else: go on behind ``head``."""
        ...

    def signalled(self, room: str, who: str, at: int, msg_id: str, tags: str) -> None:
        """A program on another node tells the programs in a room something; as `formats.base.Signal`."""
        ...
