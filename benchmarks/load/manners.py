"""What may be personal about each member of a room: a bell at one's name, or somebody whom one ignores.

Knows the chat room's plain text; no other server of the suite has such commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.load.crowd import Seat

__all__ = ["MANNERS", "Manner"]


class Manner(Protocol):
    """What all members of a room have asked of the server, each for itself."""

    def adopt(self, seats: Sequence[Seat]) -> None:
        """Everybody asks for it; the answers come later."""
        ...

    def ignoring(self, seats: Sequence[Seat], senders: int) -> Mapping[Seat, int]:
        """Who is not shown the lines of which sender.

        Args:
            seats: All members, those who talk first.
            senders: How many of them talk.

        Returns:
            The sender's index, for each seat that ignores one.
        """
        ...


class _Plain:
    """Nothing: all are shown the same bytes."""

    def adopt(self, seats: Sequence[Seat]) -> None:
        """Ask for nothing."""

    def ignoring(self, seats: Sequence[Seat], senders: int) -> Mapping[Seat, int]:  # noqa: ARG002 - as in Manner
        """Nobody is ignored."""
        return {}


class _Bell(_Plain):
    """All want to hear a bell at their name, which nobody says."""

    @override
    def adopt(self, seats: Sequence[Seat]) -> None:
        """Turn it on."""
        for seat in seats:
            seat.send(b"/set bell on\r\n")


class _Ignore:
    """Each ignores the one who came just before, so each another one; the first ignores the last.

    Those who talk ignore each other, and the first of the listeners, who is read line by line, ignores one of them.
    """

    def adopt(self, seats: Sequence[Seat]) -> None:
        """Ignore one's neighbour."""
        for index, seat in enumerate(seats):
            seat.send(b"/ignore %b\r\n" % seats[index - 1].name.encode())

    def ignoring(self, seats: Sequence[Seat], senders: int) -> Mapping[Seat, int]:
        """Each who came just after one who talks."""
        return {seats[(sender + 1) % len(seats)]: sender for sender in range(senders)}


MANNERS: dict[str, Manner] = {"plain": _Plain(), "bell": _Bell(), "ignore": _Ignore()}
"""The manners by the names that a job uses."""
