"""What a measure found: rows of figures, and the medians of rows that were measured more than once."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["OFFERED", "ROUND", "WRONGS", "Figures", "Row", "Setting", "disturbed", "medians", "row_of", "wrongs"]

Figures = dict[str, float | int | str | bool]
"""Figures by name; a name ends in its unit."""
Setting = dict[str, float | int | str]
"""What distinguishes a row from the others of the same measure and server, by name."""

ROUND = "round"
"""The setting that only tells equal rows apart."""
OFFERED = "offered lines/s"
"""The setting that says at which rate lines were said."""
WRONGS = ("lost", "doubled", "reordered", "wrong", "closed")
"""The figures that must be 0."""
OTHERS_LIMIT_PERCENT = 15.0
GENERATOR_LIMIT_PERCENT = 90.0
"""A generator that was busier than this measured itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured on one server.

    Attributes:
        measure: Which measure.
        server: Which server.
        setting: Under which circumstances.
        figures: What was found; empty if there is only a note.
        note: Why the figures are not to be used, if they are not.
        noise_us: How long the same small piece of work took just before and after.
    """

    measure: str
    server: str
    setting: Setting
    figures: Figures = field(default_factory=dict)
    note: str = ""
    noise_us: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether the row may be compared with others."""
        return bool(self.figures) and not self.note

    def number(self, name: str) -> float:
        """A figure as a number; NaN if there is none."""
        value = self.figures.get(name)
        return float(value) if isinstance(value, int | float) else float("nan")

    def circumstances(self) -> tuple[str, str, tuple[tuple[str, object], ...]]:
        """What equal rows of different rounds have in common."""
        setting = tuple((name, value) for name, value in self.setting.items() if name != ROUND)
        return self.measure, self.server, setting


def row_of(measure: str, server: str, setting: Setting, figures: Figures) -> Row:
    """A row from what the generator saw, with a note if it was itself the bottleneck or the server gave up."""
    if "refused" in figures:
        return Row(measure, server, setting, note=str(figures["refused"]))
    busy = float(figures.get("generator_core_percent", 0))
    note = f"refused: the generator was {busy:.0f} % busy" if busy > GENERATOR_LIMIT_PERCENT else ""
    return Row(measure, server, setting, figures, note)


def disturbed(figures: Figures) -> bool:
    """Whether so much of the processors went to others meanwhile that times say little."""
    return float(figures.get("others_core_percent", 0)) > OTHERS_LIMIT_PERCENT


def wrongs(row: Row) -> dict[str, float | int | str | bool]:
    """What was lost, doubled, reordered or otherwise wrong in a row; empty if nothing was."""
    bad = {name: row.figures.get(name, 0) for name in WRONGS}
    found: Figures = {name: value for name, value in bad.items() if value}
    if row.figures.get("same_order") is False:
        found["same_order"] = False
    return found


def medians(rows: Iterable[Row]) -> list[Row]:
    """One row for all rounds of the same: the median of each figure. A usable round beats those that are not."""
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.circumstances(), []).append(row)
    return [_median([row for row in group if row.usable] or group) for group in groups.values()]


def _median(rows: Sequence[Row]) -> Row:
    first = rows[0]
    figures: Figures = {}
    for name, value in first.figures.items():
        numbers = [row.number(name) for row in rows]
        figures[name] = value if isinstance(value, str | bool) else statistics.median(numbers)
    setting = {name: value for name, value in first.setting.items() if name != ROUND}
    return replace(first, setting=setting, figures=figures)
