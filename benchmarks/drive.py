"""Runs the load generator in a process of its own and hands over what it saw."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from benchmarks.load.jobs import write_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.load.jobs import Job
    from benchmarks.results import Figures

__all__ = ["drive"]

LIMIT_SECONDS = 180.0


def drive(job: Job, *, limit_seconds: float = LIMIT_SECONDS) -> Iterator[Figures]:
    """Do the job; the generator is ended when nobody wants more or the time is over.

    Yields:
        What the generator saw, one stage at a time; ``{"refused": why}`` if it could not go on.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None  # noqa: S101 - both are pipes, for mypy
    assert process.stdout is not None  # noqa: S101
    watchdog = threading.Timer(limit_seconds, process.kill)
    watchdog.start()
    try:
        process.stdin.write(write_job(job) + "\n")
        process.stdin.close()
        for line in process.stdout:
            yield json.loads(line)
        if process.wait():
            yield {"refused": "the load generator was ended: the time was over, or it failed"}
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
