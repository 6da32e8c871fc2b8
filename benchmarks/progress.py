"""A progress bar of plain text: one line on a terminal, a line for each task in a file."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measures.base import Task

__all__ = ["Progress"]

WIDTH = 30


class Progress:
    """How far a list of tasks is, by the time that each was said to take."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._all_seconds = sum(task.seconds for task in tasks) or 1.0
        self._done_seconds = 0.0
        self._start = time.monotonic()

    def begin(self, task: Task) -> None:
        """Show that the task is under way."""
        share = self._done_seconds / self._all_seconds
        bar = "#" * round(WIDTH * share)
        gone = time.monotonic() - self._start
        text = f"[{bar:.<{WIDTH}}] {share:4.0%} {gone // 60:2.0f}:{gone % 60:02.0f}  {task.label}"
        self._show(f"\r{text:<100}" if sys.stderr.isatty() else text + "\n")
        self._done_seconds += task.seconds

    def end(self) -> None:
        """All is done."""
        self._show("\r" + " " * 100 + "\r" if sys.stderr.isatty() else "")

    def _show(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
