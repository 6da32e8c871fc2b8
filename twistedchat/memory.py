"""Giving freed memory back to the system, after many connections have gone.

Knows the C library. The allocator keeps what was freed in the middle of its heap: after 1,000 connections
that each had 64 KiB waiting, 86 MB of 90.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

__all__ = ["TRIM_SECONDS", "Trimmer"]

TRIM_SECONDS = 5.0
"""Delay after connections have gone, in seconds, so that it is done once for many. Source: a trim takes some ms."""

MIN_GONE = 100
"""Fewest connections that must have gone: fewer leave at most some 10 MB behind. Source: a page and a read each."""


class Trimmer:
    """Gives memory back when it is worth it.

    Args:
        clock: For the delay.
        trim: Does it; the C library's ``malloc_trim`` unless given.
    """

    __slots__ = ("_clock", "_gone", "_is_due", "_trim")

    def __init__(self, clock: IReactorTime, trim: Callable[[], object] | None = None) -> None:
        self._clock = clock
        self._trim = trim or _malloc_trim()
        self._gone = 0
        self._is_due = False

    def connection_gone(self) -> None:
        """A connection has gone, and what it had was freed."""
        self._gone += 1
        if self._gone >= MIN_GONE and not self._is_due:
            self._is_due = True
            self._clock.callLater(TRIM_SECONDS, self._do)

    def _do(self) -> None:
        self._is_due = False
        self._gone = 0
        self._trim()


def _malloc_trim() -> Callable[[], object]:
    """What gives memory back, where there is such a thing: glibc's malloc_trim(3)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return lambda: None
    return lambda: trim(0)
