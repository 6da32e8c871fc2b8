"""A PostgreSQL server that all tests of one run share, and a database of its own for each test that asks."""

from __future__ import annotations

import atexit
import itertools
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

import pytest_twisted  # it ships no type hints
from twisted.internet import reactor  # these tests wait for a real server
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from benchmarks.engine import Engine, NoServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["LOOP", "engine", "live", "new_database", "new_engine", "soon", "until"]

LOOP: Any = reactor

PATIENCE_SECONDS = 20.0
"""Time limit for what must come about, in seconds."""

_numbers = itertools.count(1)


def new_engine(**settings: str) -> Engine:
    """A server of one's own, not yet made; where PostgreSQL is not installed the test is skipped."""
    try:
        return Engine(settings=settings)
    except NoServerError as error:
        raise SkipTest(str(error)) from error


@cache
def engine() -> Engine:
    """The server, started when it is first wanted and removed when the run ends."""
    started = new_engine().make()
    atexit.register(started.remove)
    return started


def new_database() -> str:
    """The address of an empty database."""
    return engine().create(f"test{next(_numbers)}")


def live(test: Callable[..., Coroutine[Deferred[Any], Any, None]]) -> Callable[..., None]:
    """A test that waits for the reactor."""
    waiting: Callable[..., None] = pytest_twisted.ensureDeferred(test)
    return waiting


def soon(work: Coroutine[Deferred[Any], Any, Any]) -> Deferred[Any]:
    """What must not take long."""
    return Deferred.fromCoroutine(work).addTimeout(PATIENCE_SECONDS, LOOP)


async def until(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    give_up = LOOP.seconds() + PATIENCE_SECONDS
    while not is_so():
        assert LOOP.seconds() < give_up, f"in vain: {what}"
        await deferLater(LOOP, 0.01)
