"""What programs tell the programs in a room, such as that somebody types: shown at once or never, within a budget.

Knows rooms and the time. Must not know what is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.limits import TokenBucket

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from twistedchat.formats.base import Signal
    from twistedchat.rooms.audience import Member
    from twistedchat.rooms.room import Room
    from twistedchat.turns import Turns

__all__ = ["SHOWN_A_SECOND", "Signals"]

SHOWN_A_SECOND = 10_000
"""Most members who are shown something of the kind in a second, in all rooms; what would be more is dropped.

Source: docs/irc.md, "Who is here".
"""


class Signals:
    """Shows them.

    Args:
        clock: For the rate.
        turns: Where showing many takes its turns.
    """

    __slots__ = ("_budget", "_clock", "_turns")

    def __init__(self, clock: IReactorTime, turns: Turns) -> None:
        self._clock = clock
        self._turns = turns
        self._budget = TokenBucket(SHOWN_A_SECOND, SHOWN_A_SECOND, clock.seconds())

    def show(self, room: Room, signal: Signal, apart: Member | None) -> None:
        """Show something to all who are in a room but one, if there is budget for it."""
        if self._budget.take_all(self._clock.seconds(), room.audience.count):
            self._turns.add(room.audience.flash(signal, apart))
