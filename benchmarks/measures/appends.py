"""How many lines a second a store makes durable: by the number that wait, for one writer and for two."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.engine import Engine, EngineError
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from benchmarks.results import Figures, Setting

__all__ = ["APPENDS"]

START_SECONDS = 2.0
"""From starting the writers to their common beginning, in seconds: Python starts and the store is opened."""

STORES = ("sqlite", "postgresql")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outstanding", type=int, nargs="+", default=[1, 10, 100, 1000], help="lines that wait")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each writes")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    settings: list[Setting] = [
        *({"writers": 1, "outstanding": lines, "rooms": 1, "keys": "no"} for lines in options.outstanding),
        {"writers": 1, "outstanding": 100, "rooms": 1, "keys": "all"},
        {"writers": 1, "outstanding": 100, "rooms": 50, "keys": "no"},
        {"writers": 1, "outstanding": 1000, "rooms": 500, "keys": "no"},
        {"writers": 2, "outstanding": 100, "rooms": 1, "keys": "no"},
        {"writers": 2, "outstanding": 100, "rooms": 50, "keys": "no"},
        {"writers": 2, "outstanding": 100, "rooms": 50, "keys": "all"},
    ]
    return [
        Task(
            f"appends: {store}",
            len(settings) * (options.seconds + START_SECONDS),
            functools.partial(_rows, store, bench.scratch, settings, options.seconds),
        )
        for store in STORES
    ]


def _rows(store: str, scratch: Path, settings: list[Setting], seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as name:
        folder = Path(name)
        # The server may be another user's.
        folder.chmod(0o755)
        if store == "sqlite":
            for number, setting in enumerate(settings):
                if setting["writers"] == 1:
                    yield Row("appends", store, setting, _figures(f"sqlite:{folder}/{number}.db", setting, seconds))
            return
        try:
            with Engine(folder / "engine", fsync=True) as engine:
                for number, setting in enumerate(settings):
                    yield Row("appends", store, setting, _figures(engine.create(f"n{number}"), setting, seconds))
        except EngineError as reason:
            yield Row("appends", store, {}, note=str(reason))


def _figures(url: str, setting: Setting, seconds: float) -> Figures:
    """What all writers managed together; of the waits, those of the slowest."""
    options = [f"--outstanding={setting['outstanding']}", f"--rooms={setting['rooms']}", f"--seconds={seconds}"]
    options += ["--keys"] if setting["keys"] == "all" else []
    command = [sys.executable, "-m", "benchmarks.appends", url, f"--at={time.monotonic() + START_SECONDS}", *options]
    writers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        for _ in range(int(setting["writers"]))
    ]
    found: list[Figures] = [json.loads(writer.communicate(timeout=60)[0]) for writer in writers]
    together = sum(float(figures["appends_per_second"]) for figures in found)
    slowest = max(found, key=lambda figures: float(figures["ack_p99_ms"]))
    return slowest | {"appends_per_second": together}


APPENDS = Measure(
    "appends",
    "Lines made durable in a second",
    _arguments,
    _tasks,
    (
        Column("appends/s", "appends_per_second"),
        Column("ack p50 ms", "ack_p50_ms", 2),
        Column("p99", "ack_p99_ms", 2),
    ),
)
