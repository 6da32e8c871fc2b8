"""What is looked for after every test.

pytest-twisted lets two faults pass unseen: a call that is still to come on the reactor, and an error in a
Deferred that nobody handles.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.logger import LogEvent


@implementer(ILogObserver)
class _Unhandled:
    """Errors that nobody handled; Twisted logs them when their Deferred is collected."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_namespace") == "twisted.internet.defer" and "log_failure" in event:
            self.seen.append(event["log_failure"].getTraceback())


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a call on the reactor, or an error in a Deferred."""
    # Not before pytest-twisted has chosen it.
    from twisted.internet import reactor  # noqa: PLC0415  live tests run on it

    loop: Any = reactor
    before = loop.getDelayedCalls()
    unhandled = _Unhandled()
    globalLogPublisher.addObserver(unhandled)
    yield
    if request.cls is None:
        # Trial's own cases are without a reactor, and there are many of them.
        gc.collect()
    globalLogPublisher.removeObserver(unhandled)
    left = [call for call in loop.getDelayedCalls() if call not in before]
    for call in left:
        call.cancel()
    assert not left, "calls are left on the reactor"
    assert not unhandled.seen, "\n".join(unhandled.seen)
