"""Ranks and rules of this node's rooms, as they are read of all nodes: which of what was read is not out of date.

Pure. Knows rooms by name. Must not know where it is read from, nor who is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from twistedchat.people.faces import Roll
    from twistedchat.records import Change, Standing

    Hint = tuple[str, Sequence[Change]]
    """Who has made which changes."""

__all__ = ["MAX_RULED", "Rulebook"]

MAX_RULED = 256
"""Most changes of which it is remembered who has made them, until they are read. Source: as `rosters.MAX_HINTS`."""


class Rulebook:
    """What was done here counts until it is known to be done everywhere.

    Args:
        is_pending: Whether something that was done here in a room is still to be told to the others.

    Attributes:
        standings: Ranks and rules, as they were when a room was looked at.
    """

    __slots__ = ("_is_pending", "_own", "_ruled", "standings")

    def __init__(self, is_pending: Callable[[str], bool] = lambda _: False) -> None:
        self._is_pending = is_pending
        # How often something was done here in a room.
        self._own: dict[str, int] = {}
        self._ruled: list[tuple[str, str, Sequence[Change]]] = []
        self.standings: dict[str, Standing] = {}

    def looked(self, roll: Roll) -> None:
        """This stands of a room in which nobody of this node is."""
        # What is there of people of this node is from before they left.
        ranks = {name: rank for name, rank in roll.standing.ranks.items() if name in roll.people}
        self.standings[roll.room] = roll.standing._replace(ranks=ranks)

    def own_change(self, room: str) -> None:
        """Somebody here has entered or left a room, or changed its ranks or rules."""
        self._own[room] = self._own.get(room, 0) + 1

    def heard(self, room: str, by: str, changes: Sequence[Change]) -> None:
        """Somebody of this name on another node, or the server (""), has made changes."""
        if len(self._ruled) < MAX_RULED:
            self._ruled.append((room, by, changes))

    def begin(self, rooms: Collection[str]) -> Mapping[str, int]:
        """These rooms are about to be read: what `read` is to be told."""
        return {room: self._own.get(room, 0) for room in rooms if not self._is_pending(room)}

    def read(self, room: str, begun: Mapping[str, int]) -> Sequence[Hint] | None:
        """A room was read.

        Returns:
            Who has made which changes, as far as known; None if something was done here meanwhile that may lack in what
            was read: then it is to be read again.
        """
        if begun.get(room) != self._own.get(room, 0):
            return None
        hints = [(by, changes) for where, by, changes in self._ruled if where == room]
        self._ruled = [one for one in self._ruled if one[0] != room]
        return hints

    def keep_only(self, rooms: Collection[str]) -> None:
        """Forget all other rooms."""
        for kept in (self.standings, self._own):
            for room in [room for room in kept if room not in rooms]:
                del kept[room]
