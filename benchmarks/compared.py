"""Today's daemon set in proportion to another checkout's: each figure of one divided by the same of the other.

Pure: rows in, rows out. Which server stands for which is known by name.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from benchmarks.results import OFFERED, ROUND, WRONGS, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.results import Figures

__all__ = ["PAIRS", "against_before"]

PAIRS = {
    "chatroom": "before",
    "chatroom-json": "before-json",
    "chatroom-irc": "before-irc",
    "chatroom-irc-tags": "before-irc-tags",
    "chatroom-irc-half": "before-irc-half",
}
"""Today's servers, each with its counterpart from the other checkout."""


def against_before(rows: Sequence[Row], *, at_any_rate: bool = False) -> list[Row]:
    """Divide each of today's figures by the counterpart's of the same circumstances and round.

    Args:
        rows: Rows of one measure, all rounds.
        at_any_rate: Compare rows of different offered rates too: for the best row of each.

    Returns:
        A row for all rounds of the same circumstances: the median of the ratios. Rows without a
        counterpart, or with a note, are left out, and so are figures that are zero or must be.
    """
    ignored = {OFFERED} if at_any_rate else set[str]()
    counterparts = {_key(row, row.server, ignored): row for row in rows if row.usable}
    ratios: dict[object, list[Row]] = {}
    for row in rows:
        before = counterparts.get(_key(row, PAIRS.get(row.server, ""), ignored))
        if before is not None and row.usable:
            key = _key(row, row.server, ignored | {ROUND})
            ratios.setdefault(key, []).append(_ratio(row, before, ignored | {ROUND}))
    return [_median(same) for same in ratios.values()]


def _key(row: Row, server: str, ignored: Iterable[str]) -> object:
    return row.measure, server, tuple((name, value) for name, value in row.setting.items() if name not in ignored)


def _ratio(row: Row, before: Row, ignored: Iterable[str]) -> Row:
    setting = {name: value for name, value in row.setting.items() if name not in ignored}
    figures: Figures = {
        name: row.number(name) / before.number(name)
        for name, value in row.figures.items()
        if name not in WRONGS and not isinstance(value, bool) and before.number(name)
    }
    return Row(row.measure, f"{row.server} / {before.server}", setting, figures)


def _median(rows: Sequence[Row]) -> Row:
    figures: Figures = {}
    for name in rows[0].figures:
        numbers = [row.number(name) for row in rows if math.isfinite(row.number(name))]
        if numbers:
            figures[name] = statistics.median(numbers)
    return Row(rows[0].measure, rows[0].server, rows[0].setting, figures)
