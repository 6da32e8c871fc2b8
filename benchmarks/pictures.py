"""The rows as pictures (SVG)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.load.arrivals import WEIGHT_AT
from benchmarks.measures.fanout import P99_LIMIT_MS
from benchmarks.report import best_rows
from benchmarks.results import OFFERED, medians
from benchmarks.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.results import Row

__all__ = ["draw"]

OURS = "chatroom"


def draw(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Draw what the rows give material for; returns the files. Needs matplotlib; without it there are none."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - the measures do without it
    except ImportError:
        return []
    mpl.use("svg")
    mpl.rcParams.update({"font.size": 9, "axes.grid": True, "grid.alpha": 0.3, "svg.hashsalt": "benchmarks"})
    files = []
    for name, picture in _PICTURES.items():
        figure = picture([row for row in medians(rows) if row.usable])
        if figure is not None:
            files.append(folder / f"{name}.svg")
            figure.savefig(files[-1], metadata={"Date": None})
    return files


def _figure(columns: int) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(5.2 * columns, 4), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)
    return figure, list(axes[0])


def _curve(axes: Axes, name: str, points: Sequence[tuple[float, float]]) -> None:
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415

    ours = name.startswith(OURS)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
    xs, ys = zip(*sorted(points), strict=True)
    axes.plot(
        xs,
        ys,
        marker="o",
        markersize=3,
        label=name,
        color=_colour(name),
        linestyle="-" if name in SERVERS else "--",
        linewidth=2.5 if ours else 1.2,
        zorder=3 if ours else 2,
    )


def _colour(server: str, usual: str = "") -> str:
    """A server's own colour, or the usual one if there is one; another checkout's daemon is dark grey."""
    return (usual or f"C{list(SERVERS).index(server)}") if server in SERVERS else "dimgrey"


def _curves(axes: Axes, rows: Sequence[Row], x: str, y: str) -> None:
    for server in dict.fromkeys(row.server for row in rows):
        points = [
            (float(row.setting.get(x, 0)), row.number(y)) for row in rows if row.server == server and y in row.figures
        ]
        if points:
            _curve(axes, server, points)


def _load(rows: Sequence[Row]) -> Figure | None:
    """Deliveries and p99 against the offered load, for each number of members."""
    rows = [row for row in rows if row.measure == "fanout"]
    members = sorted({int(row.setting["members"]) for row in rows})
    if not members:
        return None
    figure, axes = _figure(2 * len(members))
    for index, count in enumerate(members):
        own = [row for row in rows if row.setting["members"] == count]
        left, right = axes[2 * index], axes[2 * index + 1]
        _curves(left, own, OFFERED, "deliveries_per_second")
        _curves(right, own, OFFERED, "p99_ms")
        left.set(title=f"{count:,} in one room", xscale="log", yscale="log", ylabel="deliveries a second")
        right.set(title=f"{count:,} in one room", xscale="log", yscale="log", ylabel="p99, ms")
        right.axhline(P99_LIMIT_MS, color="grey", linestyle="--", linewidth=1)
        for each in (left, right):
            each.set_xlabel("lines a second said")
    axes[0].legend(fontsize=7)
    return figure


def _most(rows: Sequence[Row]) -> Figure | None:
    """The headline: the most deliveries a second in time, by server."""
    best = best_rows(row for row in rows if row.measure == "fanout")
    members = sorted({int(row.setting["members"]) for row in best})
    if not members:
        return None
    figure, axes = _figure(len(members))
    for each, count in zip(axes, members, strict=True):
        own = [row for row in best if row.setting["members"] == count]
        _bars(each, own, "deliveries_per_second", 1e-6)
        each.set(title=f"one room of {count:,}, p99 ≤ {P99_LIMIT_MS:.0f} ms", xlabel="million deliveries a second")
    return figure


def _bars(axes: Axes, rows: Sequence[Row], figure: str, scale: float) -> None:
    ordered = sorted(rows, key=lambda row: row.number(figure))
    values = [row.number(figure) * scale for row in ordered]
    colours = ["C0" if row.server.startswith(OURS) else _colour(row.server, "lightgrey") for row in ordered]
    bars = axes.barh([row.server for row in ordered], values, color=colours)
    axes.bar_label(bars, fmt="%.3g", padding=2, fontsize=8)


def _cost(rows: Sequence[Row]) -> Figure | None:
    """What a core delivers when nothing can be batched."""
    titles = {"rest": "20 lines/s to 1,000 members", "rooms": "500 rooms of 4, one line in flight"}
    present = [name for name in titles if any(row.measure == name for row in rows)]
    if not present:
        return None
    figure, axes = _figure(len(present))
    for each, name in zip(axes, present, strict=True):
        _bars(each, [row for row in rows if row.measure == name], "deliveries_per_core_second", 1e-3)
        each.set(title=titles[name], xlabel="thousand deliveries a core-second")
    return figure


def _memory(rows: Sequence[Row]) -> Figure | None:
    """The process's memory against how many are in it."""
    rows = [row for row in rows if row.measure == "crowd" and row.setting.get("rooms") != 1]
    if not rows:
        return None
    figure, axes = _figure(1)
    for row in rows:
        sizes = [(int(name.removeprefix(WEIGHT_AT)), name) for name in row.figures if name.startswith(WEIGHT_AT)]
        if sizes:
            _curve(axes[0], row.server, [(count, row.number(name) * 1e-6) for count, name in sizes])
    axes[0].set(title="idle members", xlabel="connections", ylabel="MB in the server's process")
    axes[0].legend(fontsize=7)
    return figure


def _members(rows: Sequence[Row]) -> Figure | None:
    """Deliveries in time and their p99, against members."""
    best = best_rows(row for row in rows if row.measure in {"growth", "fanout"})
    if len({row.setting["members"] for row in best}) < 3:
        return None
    figure, axes = _figure(2)
    _curves(axes[0], best, "members", "deliveries_per_second")
    _curves(axes[1], best, "members", "p99_ms")
    axes[0].set(ylabel=f"deliveries a second, p99 ≤ {P99_LIMIT_MS:.0f} ms", yscale="log")
    axes[1].set(ylabel="p99 at that load, ms")
    for each in axes:
        each.set(xlabel="members of one room", xscale="log")
    axes[0].legend(fontsize=7)
    return figure


_PICTURES = {"most": _most, "load": _load, "members": _members, "cost": _cost, "memory": _memory}
