"""A reactor whose clock a test moves. Knows nothing of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["FIRST_SECOND", "Reactor", "now"]

FIRST_SECOND = 1_795_336_200.0
"""When a world begins: 22 November 2026, 08:30 UTC."""

_T = TypeVar("_T")


def now(coroutine: Coroutine[Deferred[Any], Any, _T]) -> _T:
    """What a coroutine returns that has nothing to wait for."""
    outcome: list[_T | Failure] = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    assert outcome, "it waits for something"
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


class Reactor(MemoryReactorClock):
    """Twisted's reactor for tests, on which every look at the clock can take time.

    Attributes:
        look_seconds: How much later it is after each look; what is bounded in time is then cut in pieces.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = FIRST_SECOND
        self.look_seconds = 0.0

    @override
    def seconds(self) -> float:
        self.rightNow += self.look_seconds
        return super().seconds()

    def turn(self) -> bool:
        """Make the calls that are due, but not those that become due by them; say whether there was one."""
        calls = self.calls
        due = [call for call in calls if call.getTime() <= self.rightNow]
        for call in due:
            if call.active():
                calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)
        return bool(due)
