"""Commands of one client that wait until something is so: until lines are stored, shown or taken.

Knows the time. Must not know what is waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

__all__ = ["Waiting"]


class Waiting:
    """Those that wait.

    Args:
        clock: For the time.

    Attributes:
        deferreds: One for each.
    """

    __slots__ = ("_clock", "deferreds")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.deferreds: list[Deferred[None]] = []

    async def until(self, done: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait until this is so, which is looked at whenever `wake` is called, but no longer than so many seconds."""
        clock = self._clock
        timer = clock.callLater(seconds, self.wake) if seconds is not None else None
        end = clock.seconds() + seconds if seconds is not None else None
        try:
            while not done() and (end is None or clock.seconds() < end):
                waiting: Deferred[None] = Deferred()
                self.deferreds.append(waiting)
                await waiting
        finally:
            if timer is not None and timer.active():
                timer.cancel()

    def wake_soon(self) -> None:
        """As `wake`, in the next turn of the reactor, when whatever calls has done the rest."""
        if self.deferreds:
            self._clock.callLater(0, self.wake)

    def wake(self) -> None:
        """Something was stored, shown or taken: whoever waits looks again."""
        waiting, self.deferreds = self.deferreds, []
        for one in waiting:
            if not one.called:
                one.callback(None)
