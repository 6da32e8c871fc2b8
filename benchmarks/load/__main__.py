"""Reads one job from standard input, does it on a core of its own, writes what it saw as JSON lines."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from typing import TYPE_CHECKING

from benchmarks.load.arrivals import arrivals, churn
from benchmarks.load.crowd import CrowdError
from benchmarks.load.fanout import fan_out
from benchmarks.load.hostile import hostile
from benchmarks.load.jobs import Arrivals, Churn, FanOut, Hostile, PingPong, Rolling, read_job
from benchmarks.load.pingpong import ping_pong
from benchmarks.load.rolling import rolling
from benchmarks.processes import LOAD_CORE, pinned, raise_file_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.load.jobs import Job
    from benchmarks.results import Figures


def figures_of(job: Job) -> Iterator[Figures]:
    """Do the job, whichever it is."""
    match job:
        case Arrivals():
            yield from arrivals(job)
        case Churn():
            yield from churn(job)
        case FanOut():
            yield from fan_out(job)
        case Hostile():
            yield from hostile(job)
        case PingPong():
            yield from ping_pong(job)
        case Rolling():
            yield from rolling(job)
        case _:
            raise TypeError(job)


def main() -> None:
    """Do one job."""
    raise_file_limit()
    gc.disable()  # what is made here lives as long as the process, or is in no cycle
    job = read_job(sys.stdin.readline())
    with pinned(LOAD_CORE), contextlib.suppress(KeyboardInterrupt):
        try:
            for figures in figures_of(job):
                print(json.dumps(figures), flush=True)
        except CrowdError as error:
            print(json.dumps({"refused": str(error)}), flush=True)


if __name__ == "__main__":
    main()
