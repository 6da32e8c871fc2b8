"""What is wanted of the IRC door's speed, and whether a run has shown it.

Pure: rows in, a table out. The servers and measures are known by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.report import best_rows
from benchmarks.results import OFFERED, medians, wrongs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.results import Row, Setting

__all__ = ["TARGETS", "Target", "table"]

_RIVALS = ("inspircd", "ngircd")
_SORTS = {
    "chatroom-irc": "no tags",
    "chatroom-irc-tags": "all tags",
    "chatroom-irc-half": "half of the members with all tags",
}
"""Our door as it is measured, and what its clients have asked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is wanted.

    Attributes:
        work: What is done.
        measure: Which measure shows it.
        setting: What the rows that count have in their settings.
        ours: The server that it is wanted of.
        figure: The name of the figure.
        wanted: The limit of the ratio, or of the figure itself where there is nobody to compare with.
        beside: The servers of which the better is compared with.
        is_most: Whether less is better.
    """

    work: str
    measure: str
    setting: Setting
    ours: str
    figure: str
    wanted: float
    beside: tuple[str, ...] = ()
    is_most: bool = False


def _one_room(members: int, wanted: dict[str, float]) -> list[Target]:
    return [
        Target(
            f"one room of {members:,}, {sort}: deliveries/s",
            "fanout",
            {"members": members},
            ours,
            "deliveries_per_second",
            wanted[ours],
            _RIVALS,
        )
        for ours, sort in _SORTS.items()
    ]


def _small_rooms() -> list[Target]:
    return [
        Target(
            f"500 rooms of 4, {sort}: lines per core-second, beside plain text",
            "rooms",
            {"rooms": 500, "members": 4},
            ours,
            # Not deliveries: without an echo a line has three copies, and costs hardly less.
            "lines_per_core_second",
            0.9,
            ("chatroom",),
        )
        for ours, sort in _SORTS.items()
    ]


def _arrivals(people: int, rooms: int) -> list[Target]:
    setting: Setting = {"people": people, "rooms": rooms}
    where = "one room" if rooms == 1 else f"{rooms:,} rooms"
    return [
        Target(f"{people:,} into {where}, {sort}: s", "crowd", setting, ours, "seconds", 1.0, _RIVALS[:1], is_most=True)
        for ours, sort in _SORTS.items()
    ]


def _memory() -> list[Target]:
    setting: Setting = {"people": 10_000, "rooms": 100}
    return [
        Target(f"an idle client in one room, {sort}: bytes", "crowd", setting, ours, "bytes_per_member", 5000, (), True)
        for ours, sort in _SORTS.items()
    ]


TARGETS: Sequence[Target] = (
    *_one_room(1000, {"chatroom-irc": 5.0, "chatroom-irc-tags": 3.0, "chatroom-irc-half": 3.0}),
    *_one_room(100, dict.fromkeys(_SORTS, 1.5)),
    *_small_rooms(),
    *_arrivals(1000, 1),
    *_arrivals(10_000, 100),
    *_memory(),
)
"""All that is wanted. Source: the figures that the IRC door was ordered with, docs/capacity.md."""

_HEADS = ("work", "ours", "beside", "ratio", "wanted", "reached")


def table(rows: Iterable[Row]) -> str:
    """Each target beside what was found, as Markdown."""
    middle = medians(rows)
    best = best_rows([row for row in middle if OFFERED in row.setting])
    usable = [*best, *(row for row in middle if row.usable and OFFERED not in row.setting)]
    lines = [_HEADS, ("---", "---:", "---:", "---:", "---:", "---"), *(_cells(target, usable) for target in TARGETS)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cells(target: Target, rows: Sequence[Row]) -> tuple[str, ...]:
    ours = _found(target, rows, (target.ours,))
    beside = _found(target, rows, target.beside)
    value = _number(ours, target)
    ratio = value / _number(beside, target) if target.beside else value
    limit = f"{'≤' if target.is_most else '≥'} {target.wanted:,g}"
    return (
        target.work,
        _shown(value),
        f"{beside.server}: {_shown(_number(beside, target))}" if beside else "",
        f"{ratio:.2f}" if target.beside and math.isfinite(ratio) else "",
        limit,
        _reached(target, ours, ratio),
    )


def _reached(target: Target, ours: Row | None, ratio: float) -> str:
    if ours is not None and (wrong := wrongs(ours)):
        return f"no: {', '.join(f'{name} {value:g}' for name, value in wrong.items())}"
    if not math.isfinite(ratio):
        return "not measured"
    return "yes" if (ratio <= target.wanted if target.is_most else ratio >= target.wanted) else "no"


def _found(target: Target, rows: Sequence[Row], servers: Sequence[str]) -> Row | None:
    """The best of these servers' rows that belong to the target."""
    own = [
        row
        for row in rows
        if row.measure == target.measure
        and row.server in servers
        and target.setting.items() <= row.setting.items()
        and math.isfinite(row.number(target.figure))
    ]
    best = min if target.is_most else max
    return best(own, key=lambda row: row.number(target.figure), default=None)


def _number(row: Row | None, target: Target) -> float:
    return row.number(target.figure) if row else math.nan


def _shown(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
