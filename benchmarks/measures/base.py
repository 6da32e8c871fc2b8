"""What a measure is made of: tasks, each for one server, which give rows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.drive import drive
from benchmarks.results import Row, row_of
from benchmarks.servers.base import Missing, Running, Server, ServerError, running

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from benchmarks.load.jobs import Job
    from benchmarks.results import Figures, Setting

__all__ = ["Bench", "Column", "Measure", "Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work after which the progress bar moves.

    Attributes:
        label: What is under way.
        seconds: About how long it takes.
        run: Does it and gives what it found.
    """

    label: str
    seconds: float
    run: Callable[[], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a measure's table.

    Attributes:
        title: Its heading, with the unit.
        figure: Which figure it shows.
        digits: How many after the point.
        scale: What the figure is multiplied by.
    """

    title: str
    figure: str
    digits: int = 0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """One question to the servers.

    Attributes:
        name: What it is called on the command line.
        title: What the report calls it.
        arguments: Adds its own options to a parser.
        tasks: What is to be done, for the options and the servers chosen.
        columns: What its table shows.
        compared: The figure that is set in proportion to the C floor's.
        climbs: Whether the offered rate rises, so that the most that a server delivers in time is found.
    """

    name: str
    title: str
    arguments: Callable[[argparse.ArgumentParser], None]
    tasks: Callable[[Bench, argparse.Namespace], list[Task]]
    columns: tuple[Column, ...]
    compared: str = ""
    climbs: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measures share.

    Attributes:
        servers: Those that are measured.
        scratch: Where scratch folders are made: on the disk that is to be measured.
        given: A server that already runs, instead of one that is started.
    """

    servers: tuple[Server, ...]
    scratch: Path
    given: Running | None = None

    @contextlib.contextmanager
    def running(self, server: Server) -> Iterator[Running]:
        """The server, for the length of a measure."""
        if self.given is not None:
            yield self.given
            return
        with running(server, self.scratch) as started:
            yield started

    def rows(
        self,
        measure: str,
        server: Server,
        job_for: Callable[[Running], Job],
        setting_of: Callable[[Figures], Setting],
    ) -> Iterator[Row]:
        """Run the server and one job on it.

        Args:
            measure: The measure's name.
            server: Which server.
            job_for: The job, for the server that runs.
            setting_of: What tells the job's rows apart.

        Yields:
            What came of it; a single row that says why, if the server is not there or does not start.
        """
        try:
            with self.running(server) as started:
                for figures in drive(job_for(started)):
                    yield row_of(measure, server.name, setting_of(figures), figures)
        except (Missing, ServerError) as reason:
            yield Row(measure, server.name, {}, note=str(reason))
