"""How many lines a second a store makes durable: by the number that wait, for one writer and for two."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.engine import Engine, EngineError
from benchmarks.measures.base import Bench, Column, Measure, Task
from benchmarks.results import Row
from benchmarks.servers.base import Missing
from benchmarks.servers.chatroom import python_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from benchmarks.results import Figures, Setting
    from benchmarks.servers.base import Server

__all__ = ["APPENDS"]

START_SECONDS = 2.0
"""From starting the writers to their common beginning, in seconds: Python starts and the store is opened."""

LIMIT_SECONDS = 60.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outstanding", type=int, nargs="+", default=[1, 10, 100, 1000], help="lines that wait")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each writes")


def _tasks(bench: Bench, options: argparse.Namespace) -> list[Task]:
    settings = [*_settings("sqlite", options.outstanding), *_settings("postgresql", options.outstanding)]
    return [
        Task(
            f"appends: {server.name}",
            len(settings) * (options.seconds + START_SECONDS),
            functools.partial(_rows, server, server.checkout, bench.scratch, settings, options.seconds),
        )
        for server in bench.servers
        if server.checkout and server.dialect == "plain"
    ]


def _settings(store: str, outstanding: Sequence[int]) -> Iterator[Setting]:
    common: Setting = {"store": store, "writers": 1, "outstanding": 100, "rooms": 1, "keys": "no"}
    for lines in outstanding:
        yield common | {"outstanding": lines}
    yield common | {"keys": "all"}
    yield common | {"rooms": 50}
    yield common | {"outstanding": 1000, "rooms": 500}
    if store == "postgresql":
        yield common | {"writers": 2}
        yield common | {"writers": 2, "rooms": 50}
        yield common | {"writers": 2, "rooms": 50, "keys": "all"}


def _rows(server: Server, checkout: Path, scratch: Path, settings: Sequence[Setting], seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as name, contextlib.ExitStack() as held:
        folder = Path(name)
        # The database's server may be another user's.
        folder.chmod(0o755)
        engine = None
        for number, setting in enumerate(settings):
            try:
                if setting["store"] == "sqlite":
                    url = f"sqlite:{folder}/{number}.db"
                else:
                    engine = engine or held.enter_context(Engine(folder / "engine", fsync=True))
                    url = engine.create(f"n{number}")
                yield Row("appends", server.name, setting, _figures(checkout, url, setting, seconds))
            except (EngineError, Missing, ValueError) as reason:
                yield Row("appends", server.name, setting, note=str(reason))


def _figures(checkout: Path, url: str, setting: Setting, seconds: float) -> Figures:
    """What all writers managed together; of the waits, those of the slowest.

    Raises:
        Missing: The checkout has no environment.
        ValueError: A writer failed.
    """
    options = [f"--outstanding={setting['outstanding']}", f"--rooms={setting['rooms']}", f"--seconds={seconds}"]
    options += ["--keys"] if setting["keys"] == "all" else []
    at = time.monotonic() + START_SECONDS
    command = [python_of(checkout), "-m", "benchmarks.appends", url, f"--at={at}", *options]
    writers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=checkout)  # noqa: S603 - our own module
        for _ in range(int(setting["writers"]))
    ]
    found: list[Figures] = [json.loads(writer.communicate(timeout=LIMIT_SECONDS)[0]) for writer in writers]
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
