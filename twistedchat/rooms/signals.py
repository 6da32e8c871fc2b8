"""What programs tell the programs in a room, such as that somebody types: shown at once or never, within a budget.

Knows rooms. Must not know what is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twistedchat.formats.base import Signal
    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.room import Room
    from twistedchat.turns import Turns

__all__ = ["Signals"]


class Signals:
    """Shows them.

    Args:
        spend: Says whether so many lines may be sent at once; what would be more is dropped.
        turns: Where showing many takes its turns.
    """

    __slots__ = ("_spend", "_turns")

    def __init__(self, spend: Callable[[int], bool], turns: Turns) -> None:
        self._spend = spend
        self._turns = turns

    def show(self, room: Room, signal: Signal, apart: Member | None) -> None:
        """Show something to all who are in a room but one, if there is budget for it."""
        if self._spend(room.audience.count):
            self._turns.add(room.audience.flash(signal, apart))
