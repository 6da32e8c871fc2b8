"""When the members of a room are told who came and went: gathered, and always before somebody speaks.

Knows the time, and in which rooms something changed. Must not know what is told, or to whom: `presence` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.rooms.room import Room
    from twistedchat.turns import Turns

__all__ = ["GATHER_SECONDS", "LARGE_GATHER_SECONDS", "Announcer"]

GATHER_SECONDS = 0.25
"""Delay in a small room during which coming and going is gathered, in seconds. Source: docs/protocol.md, "Events"."""

LARGE_GATHER_SECONDS = 1.0
"""Delay in a large room, in seconds, after which the count alone is told. Source: docs/protocol.md, ``presence``."""


class Announcer:
    """Tells rooms who came and went.

    Args:
        clock: For delays.
        turns: Where telling many takes its turns.
    """

    __slots__ = ("_clock", "_timers", "_turns")

    def __init__(self, clock: IReactorTime, turns: Turns) -> None:
        self._clock = clock
        self._turns = turns
        self._timers: dict[Room, IDelayedCall] = {}

    def changed(self, room: Room) -> None:
        """See to it that the members are told; what happens until then is told together."""
        if room not in self._timers:
            delay = GATHER_SECONDS if room.presence.is_small else LARGE_GATHER_SECONDS
            self._timers[room] = self._clock.callLater(delay, self._due, room)

    def before_speech(self, room: Room) -> None:
        """Something is about to be shown: in a small room, whoever speaks has been announced."""
        if room in self._timers and room.presence.is_small:
            self._timers.pop(room).cancel()
            for _ in room.presence.tell_all():
                pass

    def forget(self, room: Room) -> None:
        """Nobody is left to be told."""
        timer = self._timers.pop(room, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Tell nobody anything any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _due(self, room: Room) -> None:
        del self._timers[room]
        self._turns.add(room.presence.tell_all())
