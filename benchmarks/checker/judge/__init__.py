"""The judge: what every client saw and was told, held against the promises. Pure; it can't connect to anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.checker.judge.lines import LineBook
from benchmarks.checker.judge.logs import Logs, Views
from benchmarks.checker.judge.names import Names
from benchmarks.checker.judge.promptness import Promptness
from benchmarks.checker.judge.stays import Stays
from benchmarks.checker.judge.tells import Tells
from benchmarks.checker.judge.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Judge"]


class Judge:
    """Everything that was seen, and what is wrong with it.

    Args:
        survive: Whether sessions outlive the node that they were at.
        overlooked: Kinds of violations that are known, and not counted.
        say: Shows each violation when it is found.

    Attributes:
        verdict: The violations.
        lines: What became of each line.
        logs: What stands at each place.
        views: What each connection is shown.
        stays: When somebody was connected.
        names: Who holds which name.
        tells: Private lines.
        prompt: Whether events are shown at once.
    """

    def __init__(
        self, *, survive: bool, overlooked: Sequence[str] = (), say: Callable[[str], None] | None = None
    ) -> None:
        self.verdict = Verdict(overlooked, say)
        self.lines = LineBook(self.verdict)
        self.logs = Logs(self.verdict, self.lines)
        self.views = Views(self.verdict)
        self.stays = Stays()
        self.names = Names(self.verdict, self.stays, survive=survive)
        self.tells = Tells(self.verdict, self.stays)
        self.prompt = Promptness(self.verdict)
