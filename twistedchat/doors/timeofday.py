"""A time of day, as a person types it. Knows a clock's face. Must not know what it is for."""

from __future__ import annotations

import datetime
import re

__all__ = ["time_today"]


def time_today(text: str, now: float, zone: datetime.tzinfo | None = None) -> int | None:
    """The last moment at which it was this time of day.

    Args:
        text: ``14:30`` or ``14:30:12``.
        now: Seconds since 1970.
        zone: Where it is that time; None for the server's zone.

    Returns:
        Milliseconds since 1970; None if it is no time of day.
    """
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", text, re.ASCII)
    if not found:
        return None
    here = datetime.datetime.fromtimestamp(now, datetime.UTC).astimezone(zone)
    then = here.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0)
    if then > here:
        then -= datetime.timedelta(days=1)
    return int(then.timestamp() * 1000)
