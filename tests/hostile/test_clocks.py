"""Clocks: a wall clock that is set back mutes no room, hangs no stop, and keeps each room's times in order."""

from __future__ import annotations

import contextlib
import datetime
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.hostile.crowd import BEYOND, Sink, crowd, drive, request
from tests.hostile.site import SITE
from tests.live.daemon import Daemon, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR_SECONDS = 3600.0

MUTE_SECONDS = 15.0
"""A room that shows nothing for so long, or a stop that takes so long, hangs on the clock."""

READERS = 60
"""Members of the busy room, so that its next batch is paced."""

STEPS = 30
"""In so many steps the clock is set back, so that one of them falls into a pause."""

STEP_SECONDS = 0.2
"""A step takes at most so long."""

LINES = STEPS * 20
"""Lines said at the busy room, the same number at each step."""


class Clock:
    """The wall clock of a daemon that is started after it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = folder / "clock"
        monkeypatch.setenv("PYTHONPATH", str(SITE))
        monkeypatch.setenv("CLOCK_FILE", str(self._path))

    def set_back(self, seconds: float) -> None:
        """Let it stand so far back, from now on."""
        new = self._path.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._path)


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path, monkeypatch)


@pytest.fixture
def daemon(tmp_path: Path, clock: Clock) -> Iterator[Daemon]:
    with Daemon(tmp_path, "--rate=0") as running:
        yield running
        assert "Traceback" not in running.log


@contextlib.contextmanager
def busy_room(daemon: Daemon, clock: Clock) -> Iterator[int]:
    """A room of 60 in which much is said while the clock is set back by an hour, bit by bit.

    Yields:
        How many of the `LINES` were shown in time to the one who said them.
    """
    with crowd() as callers:
        readers = [Sink(daemon.port) for _ in range(READERS)]
        callers.extend(readers)
        for number, reader in enumerate(readers):
            reader.say(f"reader{number}")
        speaker = daemon.program("speaker")
        speaker.call("join", room="lobby", after=BEYOND)
        everybody = [speaker, *callers]

        def shown() -> int:
            return speaker.received.count(b'"type":"event"')

        for step in range(1, STEPS + 1):
            speaker.say(*[request("say", room="lobby", text="on and on")] * (LINES // STEPS))
            with contextlib.suppress(AssertionError):
                drive(everybody, lambda: shown() * STEPS > LINES * (step - 1), "it goes on", STEP_SECONDS)  # noqa: B023  called before the loop goes on
            clock.set_back(HOUR_SECONDS * step / STEPS)
        with contextlib.suppress(AssertionError):
            drive(everybody, lambda: shown() == LINES, "all is shown", MUTE_SECONDS)
        yield shown()


def at_ms(event: dict[str, str]) -> int:
    """An event's time, in milliseconds."""
    return round(datetime.datetime.fromisoformat(event["at"]).timestamp() * 1000)


class TestSetBack:
    def test_busy_room(self, daemon: Daemon, clock: Clock) -> None:
        """A busy room goes on when the wall clock is set back by an hour."""
        with busy_room(daemon, clock) as shown:
            assert shown == LINES, f"{shown} of {LINES} lines were shown in {MUTE_SECONDS} s"

    def test_stop(self, daemon: Daemon, clock: Clock) -> None:
        """SIGTERM ends the daemon while its wall clock stands an hour back."""
        with busy_room(daemon, clock):
            process = daemon.process
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(MUTE_SECONDS)
        assert process.poll() is not None, f"it still ran {MUTE_SECONDS} s after SIGTERM"
        assert "All that was said is stored." in daemon.log

    def test_at(self, daemon: Daemon, clock: Clock) -> None:
        """While the clock stands behind a room's last event, each event comes 1 ms after the one before."""
        program = daemon.program("ann")
        program.call("join", room="lobby", after=BEYOND)
        program.call("say", room="lobby", text="before")
        clock.set_back(HOUR_SECONDS)
        for number in range(3):
            program.call("say", room="lobby", text=f"after {number}")
        exchange([program], lambda: len(program.events("lobby")) == 4, "all is shown")
        times = [at_ms(event) for event in program.events("lobby")]
        assert [later - times[0] for later in times] == [0, 1, 2, 3]
