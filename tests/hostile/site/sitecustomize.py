"""What Python runs first when this folder is in ``PYTHONPATH``: conditions for a daemon, by its environment.

- ``CLOCK_FILE``: while there is such a file the wall clock stands as many seconds back as it says.
- ``STACK_FRAMES``: the deepest that the stack may be, from `SETTLING_SECONDS` after the start; a line on
  standard output says so.
"""

from __future__ import annotations

import os
import sys
import threading
import time

SETTLING_SECONDS = 1.5
"""Time in which the daemon imports what it needs, which takes a deeper stack than running does."""


def _let_clock_be_set_back(path: str) -> None:
    """Twisted keeps a reference of its own to `time.time`: so before it is imported."""
    wall = time.time

    def set_back() -> float:
        try:
            with open(path, "rb") as file:
                return wall() - float(file.read())
        except FileNotFoundError:
            return wall()

    time.time = set_back


def _limit_stack(frames: int) -> None:
    sys.setrecursionlimit(frames)
    sys.stdout.write("The stack is limited.\n")
    sys.stdout.flush()


if "CLOCK_FILE" in os.environ:
    _let_clock_be_set_back(os.environ["CLOCK_FILE"])
if "STACK_FRAMES" in os.environ:
    _timer = threading.Timer(SETTLING_SECONDS, _limit_stack, [int(os.environ["STACK_FRAMES"])])
    _timer.daemon = True
    _timer.start()
