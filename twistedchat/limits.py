"""Rate limit of one peer: a token bucket. Must not know a clock: the time comes as an argument."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Pace", "TokenBucket"]


class Pace(NamedTuple):
    """Rate limit of a peer: a token bucket.

    Attributes:
        rate: Requests a second; 0 for no limit.
        burst: Requests at once, before the rate counts.
    """

    rate: float
    burst: float


class TokenBucket:
    """Lets through a burst, then a steady rate.

    Holds at most ``burst`` tokens and gains ``rate`` of them a second, so that a peer may always do
    at least ``rate`` things a second however it spreads them.

    Args:
        rate: Tokens gained a second, above 0.
        burst: Most tokens held, and those at the start; at least 1.
        now: The time in seconds, on the same clock as every later ``now``.
    """

    __slots__ = ("_burst", "_rate", "_then", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._then = now

    def take(self, now: float) -> float:
        """Take one token.

        Returns:
            0.0 if there was one; else nothing is taken, and this is the time in seconds until there
            will be one.
        """
        if now > self._then:
            self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
        self._then = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

    def take_all(self, now: float, count: int) -> bool:
        """Take so many tokens, if there are as many; else none."""
        if now > self._then:
            self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
        self._then = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True
