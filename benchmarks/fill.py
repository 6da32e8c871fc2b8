"""Fills a store with a long log, by the store's own means: ``python -m benchmarks.fill PATH ROOMS EVENTS``.

Half of the events are in the room ``big``, the others in as many rooms as asked for.
"""

from __future__ import annotations

import itertools
import sys
import time
from typing import TYPE_CHECKING

from twisted.internet import epollreactor, task
from twisted.internet.defer import ensureDeferred

from twistedchat.events import Draft, Kind
from twistedchat.stores import make_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["BIG"]

BIG = "big"
BATCH = 10_000


def _drafts(rooms: int, events: int) -> Iterator[Draft]:
    for number in range(events):
        room = BIG if number % 2 else f"r{number // 2 % rooms:05}"
        text = f"line {number} of a long talk about nothing much"
        yield Draft(id=str(number), room=room, kind=Kind.SAY, who=f"m{number % 1000:05}", text=text)


async def _fill(reactor: Any, path: str, rooms: int, events: int) -> None:
    store = make_store(f"sqlite:{path}", sync="normal", reactor=reactor, clock=time.time)  # noqa: TID251 - its entry
    await store.open()
    drafts = _drafts(rooms, events)
    while batch := list(itertools.islice(drafts, BATCH)):
        await store.append(batch)
    await store.close()


def main() -> None:
    """Do what the command line says."""
    path, rooms, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    reactor = epollreactor.EPollReactor()
    task.react(lambda r: ensureDeferred(_fill(r, path, rooms, events)), (), reactor)


if __name__ == "__main__":
    main()
