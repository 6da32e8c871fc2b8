"""The command: ``python -m benchmarks.checker``. Exit status 1 if a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.checker.run import Plan, Run
from benchmarks.checker.schedule import KINDS, kinds_for
from benchmarks.checker.seeded import BUGS

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""Exit status of a run that was interrupted and had found nothing until then. Source: what shells say of Ctrl-C."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checker",
        description="Starts nodes, clients and faults, and holds what everybody saw against the promises.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Faults:\n" + "\n".join(f"  {name:12} {kind.does}" for name, kind in KINDS.items()),
    )
    parser.add_argument("--nodes", type=int, default=3, help="how many daemons [3]; with SQLite there is one")
    parser.add_argument("--seconds", type=float, default=120, help="for how long [120]")
    parser.add_argument("--seed", type=int, default=1, help="of the schedule and of what clients do [1]")
    parser.add_argument("--faults", default="", help="only these kinds, with commas between; none for no faults")
    parser.add_argument("--store", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--standby", choices=("sync", "async", "none"), default="sync")
    parser.add_argument("--clients", type=int, default=24, help="how many people and programs [24]")
    parser.add_argument("--bug", choices=sorted(BUGS), help="in a copy of the daemon; ends when it is caught")
    parser.add_argument("--overlook", default="", help="kinds of violations that are known, and not counted")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    postgres = options.store == "postgres"
    kinds: Sequence[str] = kinds_for(postgres=postgres, standby=postgres and options.standby != "none")
    if options.faults:
        wanted = options.faults.split(",") if options.faults != "none" else []
        unknown = set(wanted) - set(kinds)
        if unknown:
            raise SystemExit(f"No such fault with this store: {', '.join(sorted(unknown))}")
        kinds = wanted
    return Plan(
        nodes=options.nodes if postgres else 1,
        seconds=options.seconds,
        seed=options.seed,
        kinds=kinds,
        standby=options.standby if postgres else None,
        clients=options.clients,
        bug=options.bug,
        stop_at_first=options.bug is not None,
        overlooked=options.overlook.split(","),
    )


def _summary(run: Run, plan: Plan, seconds: float) -> str:
    judge = run.judge
    faults = ", ".join(f"{name} {count}" for name, count in sorted(run.faults.counts.items())) or "none"
    sent = f"{len(judge.lines):,} lines and {judge.tells.count:,} private lines sent"
    shown = f"{judge.logs.count:,} events, {judge.views.deliveries:,} deliveries, {judge.names.resumes:,} resumes"
    bug = f", bug: {plan.bug}" if plan.bug else ""
    lines = [
        f"seed {plan.seed}, {plan.nodes} nodes, standby {plan.standby or '-'}, {seconds:.0f} s{bug}",
        f"{sent}; {shown}",
        f"faults: {faults}",
        f"rests: quiet after {', '.join(f'{rest:.1f}' for rest in run.rests)} s",
        f"violations: {sum(judge.verdict.counts.values())}",
    ]
    for kind, told in judge.verdict.told.items():
        lines.append(f"  {kind}: {judge.verdict.counts[kind]}")
        lines += [f"    {one}" for one in told]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run it; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.bug:
        options = _parser().parse_args([*BUGS[options.bug].options, *arguments])
    plan = _plan(options)
    folder = Path(tempfile.mkdtemp(prefix="chat-checker-"))
    # The database's server may run as another user.
    folder.chmod(0o755)
    begin = time.monotonic()
    run = Run(plan, folder, lambda text: print(f"{time.monotonic() - begin:6.1f} {text}", flush=True))
    status = 0
    try:
        asyncio.run(run.go())
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Interrupted.")
        status = INTERRUPTED
    finally:
        print(_summary(run, plan, time.monotonic() - begin), flush=True)
        if options.keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if run.judge.verdict.counts else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
