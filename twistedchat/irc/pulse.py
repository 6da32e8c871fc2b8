"""Whether an IRC client is still there: it is asked when nothing was heard for a while.

Knows the time. Must not know what the client says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.doors.channel import Farewell
from twistedchat.irc.message import write

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.irc.door import IrcDoor

__all__ = ["ANSWER_SECONDS", "QUIET_SECONDS", "Pulse"]

QUIET_SECONDS = 90.0
"""Time without a word after which a client is asked whether it is there, in seconds. Source: docs/irc.md, "Limits"."""

ANSWER_SECONDS = 60.0
"""Time in which it must answer, in seconds. Source: the same."""


class Pulse:
    """When something was heard of a client.

    Args:
        door: The client.
        clock: For the time.
    """

    __slots__ = ("_asked", "_clock", "_door", "_heard_at", "_timer")

    def __init__(self, door: IrcDoor, clock: IReactorTime) -> None:
        self._door = door
        self._clock = clock
        self._heard_at = clock.seconds()
        self._asked = False
        self._timer: IDelayedCall | None = clock.callLater(QUIET_SECONDS, self._look)

    def heard(self) -> None:
        """It has said something."""
        self._heard_at = self._clock.seconds()
        self._asked = False

    def stop(self) -> None:
        """It is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Ask it, or let it go; one timer, however much it says."""
        self._timer = None
        quiet = self._clock.seconds() - self._heard_at
        if self._asked and not self._door.stream.owes:
            parting = f"Ping timeout: {QUIET_SECONDS + ANSWER_SECONDS:.0f} seconds"
            self._door.parting = parting
            self._door.stream.channel.close(Farewell(text=parting))
        elif quiet < QUIET_SECONDS:
            self._timer = self._clock.callLater(QUIET_SECONDS - quiet, self._look)
        elif self._door.stream.owes:
            # It has said something that was not looked at yet.
            self._timer = self._clock.callLater(QUIET_SECONDS, self._look)
        else:
            self._asked = True
            self._door.stream.wire.write(write("", "PING", self._door.server))
            self._timer = self._clock.callLater(ANSWER_SECONDS, self._look)
