"""The judge: what every client saw and was told, held against the promises. Pure; it can't connect to anything."""

from __future__ import annotations

from benchmarks.checker.judge.lines import LineBook
from benchmarks.checker.judge.logs import Logs, Views
from benchmarks.checker.judge.names import Names
from benchmarks.checker.judge.tells import Tells
from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Judge"]


class Judge:
    """Everything that was seen, and what is wrong with it.

    Args:
        survive: Whether sessions outlive the node that they were at.

    Attributes:
        verdict: The violations.
        lines: What became of each line.
        logs: What stands at each place.
        views: What each connection is shown.
        names: Who holds which name.
        tells: Private lines.
    """

    def __init__(self, *, survive: bool) -> None:
        self.verdict = Verdict()
        self.lines = LineBook(self.verdict)
        self.logs = Logs(self.verdict, self.lines)
        self.views = Views(self.verdict)
        self.names = Names(self.verdict, survive=survive)
        self.tells = Tells(self.verdict, self.names)
