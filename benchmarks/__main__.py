"""The command: runs measures, shows how far it is, and writes what was found into a folder.

Without a measure's name it runs all of them, which takes about half an hour with all servers. The results
are tables (Markdown), data (JSON) and pictures (SVG).
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import pictures, report, speed
from benchmarks.compared import PAIRS
from benchmarks.machine import describe, noise_us
from benchmarks.measures.appends import APPENDS
from benchmarks.measures.base import Bench
from benchmarks.measures.crowd import CROWD
from benchmarks.measures.fanout import FANOUT
from benchmarks.measures.growth import GROWTH, LOG
from benchmarks.measures.hostile import HOSTILE
from benchmarks.measures.nodes import NODES_CROWD, NODES_FANOUT, NODES_PAIR
from benchmarks.measures.nodes_recovery import NODES_RECOVERY
from benchmarks.measures.nodes_rest import NODES_AWAY, NODES_REST
from benchmarks.measures.personal import PERSONAL
from benchmarks.measures.rest import REST
from benchmarks.measures.rolling import ROLLING
from benchmarks.measures.rooms import PAIR, ROOMS
from benchmarks.measures.smoke import SMOKE
from benchmarks.measures.soak import SOAK
from benchmarks.processes import raise_file_limit
from benchmarks.progress import Progress
from benchmarks.results import wrongs
from benchmarks.servers import OF_IRC, OURS, SERVERS, USUAL, with_before
from benchmarks.servers.base import Running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measures.base import Measure, Task
    from benchmarks.results import Row
    from benchmarks.servers.base import Server

ALL = "all"
QUICK = "quick"
NODES = "nodes"
IRC = "irc"
MEASURES = (FANOUT, REST, ROOMS, PAIR, CROWD, PERSONAL, HOSTILE, GROWTH, LOG, SOAK, ROLLING)
OF_NODES = (NODES_PAIR, NODES_FANOUT, NODES_CROWD, NODES_REST, NODES_AWAY, NODES_RECOVERY, APPENDS)
"""Those that need a PostgreSQL server."""
PRESETS: dict[str, dict[str, str]] = {
    ALL: {measure.name: "" for measure in MEASURES},
    QUICK: {
        FANOUT.name: "--members 100 1000 --rate 1000 10000",
        REST.name: "--rounds 1",
        ROOMS.name: "--rounds 2",
        PAIR.name: "--rounds 1",
        CROWD.name: "--people 3000 --rooms 100",
        PERSONAL.name: "--members 300 --seconds 1 --manners plain ignore",
        HOSTILE.name: "--attacks paste",
    },
    NODES: {measure.name: "" for measure in OF_NODES},
    IRC: {
        FANOUT.name: "--members 1000 100 --text-bytes 64",
        ROOMS.name: "--text-bytes 64",
        CROWD.name: "--people 1000 10000 --rooms 1 100",
    },
}
"""Several measures in one run, each with options of its own; quick takes about three minutes for three servers."""


def main() -> int:
    """Run what the command line says; 1 if anything was lost, doubled or reordered by our own server."""
    parser = _parser()
    options = parser.parse_args(sys.argv[1:] or [ALL])
    raise_file_limit()
    options.results.mkdir(parents=True, exist_ok=True)
    bench = _bench(parser, options)
    chosen = _chosen(options)
    rows = _run([task for measure in chosen for task in _tasks(measure, bench, options)])
    _write(chosen, rows, options)
    return _failed(rows, smoke=options.measure == SMOKE.name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="measure", metavar="MEASURE")
    _shared(commands.add_parser(ALL, help="everything"))
    _shared(commands.add_parser(QUICK, help="a first look, in a few minutes: with --only chatroom and --before, say"))
    _shared(commands.add_parser(NODES, help="all that needs several nodes over PostgreSQL, in ten minutes"))
    _shared(commands.add_parser(IRC, help="what is wanted of the IRC door, beside InspIRCd and ngIRCd"))
    for measure in (*MEASURES, *OF_NODES, SMOKE):
        command = commands.add_parser(measure.name, help=measure.title)
        _shared(command)
        measure.arguments(command)
    return parser


def _shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", default="", help=f"servers, separated by commas, of: {', '.join(SERVERS)}")
    command.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="another checkout of this project: its daemon is measured too"
    )
    command.add_argument("--port", type=int, help="measure a server that already listens on this loopback port")
    command.add_argument("--pid", type=int, help="that server's process, for its processor time")
    command.add_argument("--results", type=Path, default=Path("benchmarks/results"), help="where the results go")
    command.add_argument("--scratch", type=Path, help="where stores are made while measuring (the results' folder)")


def _bench(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Bench:
    names = [name for name in options.only.split(",") if name]
    if unknown := sorted(set(names) - set(SERVERS)):
        parser.error(f"there is no server {', '.join(unknown)}; there are {', '.join(SERVERS)}")
    servers = [SERVERS[name] for name in names] or _usual(options)
    if options.before:
        servers = with_before(servers, options.before.resolve())
    scratch = (options.scratch or options.results).resolve()
    given = Running(servers[0], options.port, options.pid, scratch) if options.port else None
    return Bench(tuple(servers[:1] if given else servers), scratch, given)


def _usual(options: argparse.Namespace) -> list[Server]:
    return list({SMOKE.name: OURS, IRC: OF_IRC}.get(options.measure, USUAL))


def _chosen(options: argparse.Namespace) -> Sequence[Measure]:
    names = PRESETS.get(options.measure, [options.measure])
    return [each for each in (*MEASURES, *OF_NODES, SMOKE) if each.name in names]


def _tasks(measure: Measure, bench: Bench, options: argparse.Namespace) -> list[Task]:
    """The measure's tasks; when several are run, each with the options of the preset."""
    if options.measure not in PRESETS:
        return measure.tasks(bench, options)
    own = argparse.ArgumentParser()
    measure.arguments(own)
    return measure.tasks(bench, own.parse_args(PRESETS[options.measure][measure.name].split()))


def _run(tasks: Sequence[Task]) -> list[Row]:
    progress = Progress(tasks)
    rows: list[Row] = []
    with contextlib.suppress(KeyboardInterrupt):  # what was found until then is reported
        for task in tasks:
            progress.begin(task)
            before = noise_us()
            found = list(task.run())
            noise = (before + noise_us()) / 2
            rows += [replace(row, noise_us=noise) for row in found]
    progress.end()
    return rows


def _write(measures: Sequence[Measure], rows: Sequence[Row], options: argparse.Namespace) -> None:
    machine = describe(options.scratch or options.results)
    text = report.text(measures, rows, machine)
    if options.measure == IRC:
        text += f"\n## What is wanted of the IRC door\n\n{speed.table(rows)}\n"
    target: Path = options.results / options.measure
    target.with_suffix(".md").write_text(text)
    target.with_suffix(".json").write_text(report.data(rows, machine))
    print(text)
    drawn = pictures.draw(rows, options.results) if options.measure != SMOKE.name else []
    print("Written:", *(str(path) for path in (target.with_suffix(".md"), target.with_suffix(".json"), *drawn)))


def _failed(rows: Sequence[Row], *, smoke: bool) -> int:
    ours = [row for row in rows if row.server in PAIRS]
    bad = [row for row in ours if wrongs(row) or (smoke and (row.note or not row.figures.get("complete", True)))]
    for row in bad:
        print(f"wrong: {row.measure} {row.server} {row.setting}: {wrongs(row) or row.note}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
