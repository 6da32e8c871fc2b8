"""One writer to a store, alone or beside others: ``python -m benchmarks.appends STORE`` prints what it managed.

Knows the store's own seam only: no daemon, no socket of a person. A batch is sent when the one before was answered,
as the daemon does it, so the lines that wait meanwhile are the batch.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time
from typing import TYPE_CHECKING

from twisted.internet import epollreactor, task
from twisted.internet.defer import ensureDeferred

from twistedchat.events import Draft, Kind
from twistedchat.stores import make_store
from twistedchat.stores.base import Stored

if TYPE_CHECKING:
    from typing import Any

    from twistedchat.stores.base import Store

__all__ = ["LONGEST_SECONDS"]

LONGEST_SECONDS = 8.0
"""Longest run, in seconds: a node's lease lasts 10, and nobody renews it here."""

TEXT = "a line of usual length, as somebody would say it to others"


class _Writer:
    """Appends batch after batch.

    Attributes:
        waits: How long each batch took to be answered, in seconds.
    """

    def __init__(self, store: Store, options: argparse.Namespace) -> None:
        self.waits: list[float] = []
        self._store = store
        self._options = options
        self._said = 0

    async def write(self, seconds: float) -> float:
        """Write for so long; returns the lines that were stored in a second."""
        begun = now = time.perf_counter()
        said = self._said
        self.waits.clear()
        while now < begun + seconds:
            batch = [self._draft(number) for number in range(self._options.outstanding)]
            start = time.perf_counter()
            outcomes = await self._store.append(batch)
            now = time.perf_counter()
            self.waits.append(now - start)
            if not all(isinstance(outcome, Stored) and outcome.fresh for outcome in outcomes):
                raise SystemExit(f"not stored: {outcomes[0]}")
        return (self._said - said) / (now - begun)

    def _draft(self, number: int) -> Draft:
        self._said += 1
        key = secrets.token_hex(16) if self._options.keys else None
        return Draft(str(self._said), f"room{number % self._options.rooms}", Kind.SAY, f"m{number:04}", TEXT, key)


async def _run(reactor: Any, options: argparse.Namespace) -> None:
    store = make_store(options.store, reactor=reactor, clock=time.time)  # noqa: TID251 - its entry
    await store.open()
    writer = _Writer(store, options)
    await writer.write(0.3)
    time.sleep(max(0.0, options.at - time.monotonic()))
    rate = await writer.write(min(options.seconds, LONGEST_SECONDS - 2))
    waits = sorted(writer.waits)
    figures = {
        "appends_per_second": rate,
        "ack_p50_ms": waits[len(waits) // 2] * 1000,
        "ack_p99_ms": waits[len(waits) * 99 // 100] * 1000,
    }
    print(json.dumps(figures))
    await store.close()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.appends", description=__doc__)
    parser.add_argument("store", help="as for the daemon's --store")
    parser.add_argument("--outstanding", type=int, default=100, help="lines in a batch")
    parser.add_argument("--rooms", type=int, default=1, help="rooms, lines spread over them")
    parser.add_argument("--keys", action="store_true", help="each line has a key")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to write")
    parser.add_argument("--at", type=float, default=0.0, help="when to begin, by the monotonic clock")
    options = parser.parse_args()
    reactor = epollreactor.EPollReactor()
    task.react(lambda chosen: ensureDeferred(_run(chosen, options)), (), reactor)


if __name__ == "__main__":
    main()
