"""The rows as tables for people (Markdown) and as data for programs (JSON)."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from typing import TYPE_CHECKING

from benchmarks.compared import against_before
from benchmarks.measures.base import Column
from benchmarks.measures.fanout import P99_LIMIT_MS
from benchmarks.results import OFFERED, ROUND, disturbed, medians, wrongs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measures.base import Measure
    from benchmarks.results import Row

__all__ = ["best_rows", "data", "text"]

FLOOR = "c-floor"
KEPT_UP = 0.9


def data(rows: Sequence[Row], machine: dict[str, str]) -> str:
    """All rows, as JSON. NaN becomes null, so that any reader takes it."""
    return json.dumps(_plain({"machine": machine, "rows": [dataclasses.asdict(row) for row in rows]}), indent=1)


def _plain(value: object) -> object:
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case float() if not math.isfinite(value):
            return None
        case float():
            return round(value, 6)
        case _:
            return value


def text(measures: Iterable[Measure], rows: Sequence[Row], machine: dict[str, str]) -> str:
    """The report, as Markdown."""
    parts = ["# What was measured", _machine(machine, rows)]
    for measure in measures:
        own = [row for row in rows if row.measure == measure.name]
        if own:
            parts += [f"## {measure.title}", *_sections(measure, own)]
    return "\n\n".join(parts) + "\n"


def _machine(machine: dict[str, str], rows: Sequence[Row]) -> str:
    noise = [row.noise_us for row in rows if row.noise_us]
    lines = [f"- {name}: {value}" for name, value in machine.items()]
    if len(noise) > 1:
        least, *_, most = statistics.quantiles(noise, n=10)
        lines.append(
            f"- noise: the same small piece of work took {least:.2f} to {most:.2f} µs (first and last tenth left "
            f"out): differences under {100 * (most / least - 1):.0f} % may be the machine's"
        )
    return "\n".join(lines)


def _sections(measure: Measure, rows: Sequence[Row]) -> list[str]:
    middle = medians(rows)
    sections = []
    if measure.climbs and any(OFFERED in row.setting for row in middle):
        limit = f"The most that each delivered while keeping up with a p99 of at most {P99_LIMIT_MS:.0f} ms:"
        best = best_rows(middle)
        sections += [limit, _table(measure.columns, best, {}) if best else "none."]
        sections += [*_compared(measure, against_before(best, at_any_rate=True)), "All that was tried:"]
    table = _table(measure.columns, middle, _ratios(measure, rows))
    return [*sections, table, *_compared(measure, against_before(rows))]


def _compared(measure: Measure, ratios: Sequence[Row]) -> list[str]:
    """Today's figures divided by those of the other checkout, if there is one."""
    known = {name for row in ratios for name in row.figures}
    columns = [Column(column.title, column.figure, digits=2) for column in measure.columns if column.figure in known]
    return ["Today divided by before:", _table(columns, ratios, {})] if ratios else []


def best_rows(rows: Iterable[Row]) -> list[Row]:
    """Of each server and number of members, the row with the most deliveries that is still in time."""
    best: dict[tuple[str, object], Row] = {}
    for row in rows:
        key = row.server, row.setting.get("members")
        if _in_time(row) and (key not in best or row.number(_DELIVERIES) > best[key].number(_DELIVERIES)):
            best[key] = row
    return list(best.values())


_DELIVERIES = "deliveries_per_second"


def _in_time(row: Row) -> bool:
    kept_up = row.number("lines_per_second") >= KEPT_UP * row.number("offered_lines_per_second")
    return row.usable and row.figures.get("complete") is not False and kept_up and row.number("p99_ms") <= P99_LIMIT_MS


def _ratios(measure: Measure, rows: Sequence[Row]) -> dict[object, float]:
    """For each row, how many times the C floor's figure of the same round: the median over the rounds."""
    floors = {
        row.setting.get(ROUND): row.number(measure.compared) for row in rows if row.server == FLOOR and row.usable
    }
    ratios: dict[object, list[float]] = {}
    for row in rows:
        floor = floors.get(row.setting.get(ROUND))
        if floor and row.usable:
            ratios.setdefault(row.circumstances(), []).append(row.number(measure.compared) / floor)
    return {key: statistics.median(values) for key, values in ratios.items()} if measure.compared else {}


def _table(columns: Sequence[Column], rows: Sequence[Row], ratios: dict[object, float]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.setting))
    heads = ["server", *names, *(column.title for column in columns), *(["× c-floor"] if ratios else []), "remarks"]
    lines = [_line(heads), _line(["---"] + ["---:"] * (len(heads) - 2) + ["---"])]
    for row in rows:
        cells = [row.server, *(_setting(row.setting.get(name, "")) for name in names)]
        cells += [_number(column, row) for column in columns]
        cells += [f"{ratios[row.circumstances()]:.2f}" if row.circumstances() in ratios else ""] if ratios else []
        lines.append(_line([*cells, _remark(row)]))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _setting(value: float | int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _number(column: Column, row: Row) -> str:
    value = row.number(column.figure) * column.scale
    return f"{value:,.{column.digits}f}" if math.isfinite(value) else ""


def _remark(row: Row) -> str:
    remarks = [f"{name}: {value}" for name, value in wrongs(row).items()]
    if disturbed(row.figures):
        remarks.append(f"disturbed: others took {row.number('others_core_percent'):.0f} % of a core")
    return row.note or ", ".join(remarks)
