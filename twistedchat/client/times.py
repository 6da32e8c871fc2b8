"""Moments as a person reads them, in the zone of the reader's screen. Pure."""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from typing import TypeAlias

    Zone: TypeAlias = datetime.tzinfo | None

__all__ = ["clock_of", "day_of", "time_of_day"]


def _local(second: float, zone: Zone) -> datetime.datetime:
    """A moment in a zone; None is the one of this machine."""
    return datetime.datetime.fromtimestamp(second, datetime.UTC).astimezone(zone)


@lru_cache(maxsize=1024)
def _day(quarter: int, zone: Zone) -> str:
    then = _local(quarter * 900, zone)
    return f"{then:%A} {then.day} {then:%B %Y}"


def day_of(at: int, zone: Zone = None) -> str:
    """The day of a moment in milliseconds since 1970: ``Sunday 22 November 2026``."""
    # Zones differ from UTC by quarters of an hour.
    return _day(at // 900_000, zone)


@lru_cache(maxsize=1024)
def clock_of(second: int, zone: Zone = None) -> str:
    """The time of day of a second since 1970: ``08:30:12``."""
    return f"{_local(second, zone):%H:%M:%S}"


def time_of_day(text: str, now: float, zone: Zone = None) -> int:
    """The last moment at which it was this time of day, in milliseconds since 1970.

    Args:
        text: ``14:30`` or ``14:30:05``.
        now: Seconds since 1970.
        zone: Whose time of day; None is the one of this machine.

    Raises:
        ChatError: ``bad-request``.
    """
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", text, re.ASCII)
    if not found:
        raise ChatError("bad-request", "Give a seq or a time of day: /since 1200, /since 14:30.")
    here = _local(now, zone)
    then = here.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0)
    if then > here:
        then -= datetime.timedelta(days=1)
    return int(then.timestamp() * 1000)
