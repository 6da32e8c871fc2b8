"""Many connections to a daemon, driven by one epoll loop; and logs that are filled over the wire."""

from __future__ import annotations

import contextlib
import json
import resource
import selectors
import time
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.live.callers import POLL_SECONDS
from tests.live.daemon import PATIENCE_SECONDS, Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.live.daemon import Daemon

__all__ = ["BEYOND", "SMALL_BUFFER_BYTES", "TEXT_BYTES", "Sink", "crowd", "drive", "fill", "request"]

SMALL_BUFFER_BYTES = 4096
"""Receive buffer of a peer that does not read, so that what it is sent waits at the daemon. Source: tcp(7)."""

TEXT_BYTES = 4096
"""The longest text. Source: docs/protocol.md, "Limits"."""

OPEN_FILES = 8192
"""Open files that a test needs: 1,000 connections, and those of the test run."""

BEYOND = 2**53
"""A seq beyond the last: whoever joins after it is shown no old event."""


def raise_file_limit() -> None:
    """Let this process open as many connections as the largest test needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


def drive(callers: Iterable[Caller], done: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Send and receive at all connections, until something is so: `exchange` for a thousand of them.

    Raises:
        AssertionError: It is not so in time.
    """
    deadline = time.monotonic() + seconds
    callers = list(callers)
    interests: dict[Caller, int] = {}
    with selectors.DefaultSelector() as selector:
        while not done():
            assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
            for caller in callers:
                if caller.wants != interests.get(caller, 0):
                    _register(selector, caller, interests)
            for key, ready in selector.select(POLL_SECONDS):
                caller = key.data
                caller.move(ready)
                if caller.over:
                    _register(selector, caller, interests)


def _register(selector: selectors.BaseSelector, caller: Caller, interests: dict[Caller, int]) -> None:
    before, wants = interests.get(caller, 0), caller.wants
    if before and wants:
        selector.modify(caller.socket, wants, caller)
    elif wants:
        selector.register(caller.socket, wants, caller)
    elif before:
        selector.unregister(caller.socket)
    interests[caller] = wants


@contextlib.contextmanager
def crowd() -> Iterator[list[Caller]]:
    """A list for connections; those that are in it at the end are closed."""
    raise_file_limit()
    callers: list[Caller] = []
    try:
        yield callers
    finally:
        for caller in callers:
            caller.close()


def request(op: str, **fields: object) -> str:
    """A request of JSON lines, as a line without its end."""
    return json.dumps({"op": op, **fields})


def fill(daemon: Daemon, logs: Mapping[str, Sequence[str]], *, op: str = "say") -> None:
    """Fill rooms with lines, over the wire; done when all are stored and the one who said them has left.

    Args:
        daemon: With ``--rate=0``, or it takes long.
        logs: The texts of each room, in their order.
        op: ``say``, ``me`` or ``topic``.
    """
    filler = Sink(daemon.port)
    try:
        filler.say(request("hello", name="filler"))
        for room, texts in logs.items():
            filler.say(request("join", room=room, after=BEYOND))
            filler.say(*(request(op, room=room, text=text) for text in texts))
            filler.say(request("leave", room=room))
        filler.say(request("quit"))
        drive([filler], lambda: filler.over, "the rooms are filled", 2 * PATIENCE_SECONDS)
        assert not filler.was_reset
    finally:
        filler.close()


class Sink(Caller):
    """Reads, and keeps nothing."""

    @override
    def move(self, ready: int) -> None:
        """Send and receive."""
        super().move(ready)
        self.received.clear()
