"""Long work in short turns, so that a room of two does not wait for a room of nine thousand, nor for a flood.

Knows the reactor's time. Must not know what the work is.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.interfaces import IReactorTime

__all__ = ["TURN_SECONDS", "Turns"]

TURN_SECONDS = 0.005
"""Time after which the reactor is given to everything else, in seconds.

Source: the switch interval of CPython's threads; a send is 7 µs, so this is some 700 of them.
"""


class Turns:
    """Takes turns among pieces of work, each an iterator that pauses often.

    Twisted's ``Cooperator`` does the same, but begins a turn of the reactor later, and makes a task
    object and its Deferreds for each batch.

    Args:
        clock: For the time and the next turn.
    """

    __slots__ = ("_clock", "_log", "_scheduled", "_work")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._work: deque[Iterator[None]] = deque()
        self._scheduled = False
        self._log = Logger()

    def add(self, work: Iterator[None]) -> None:
        """Do this too: begun at once if nothing else is going on, else in its turn."""
        self._work.append(work)
        if not self._scheduled:
            self._turn()

    def add_later(self, work: Iterator[None]) -> None:
        """Do this too, and not before whoever called has done with it: for work that many may bring in one turn.

        Each of a thousand that begin at once would have the reactor for `TURN_SECONDS`.
        """
        self._work.append(work)
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        # Work that is added from within the work waits its turn.
        self._scheduled = True
        deadline = self._clock.seconds() + TURN_SECONDS
        while self._work:
            work = self._work.popleft()
            try:
                next(work)
            except StopIteration:
                pass
            except Exception:
                self._log.failure("A piece of work was given up")
            else:
                self._work.append(work)
            if self._work and self._clock.seconds() >= deadline:
                self._clock.callLater(0, self._turn)
                return
        self._scheduled = False
