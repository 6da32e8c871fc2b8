from __future__ import annotations

import argparse

import pytest

from benchmarks.__main__ import MEASURES, PRESETS
from benchmarks.measures.base import Bench
from benchmarks.servers import CHATROOM, with_before
from benchmarks.servers.chatroom import CHECKOUT


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_has_tasks_of_each_of_its_measures(preset: str) -> None:
    """Its options are taken, and there is work for today's daemon and for the other checkout's alike."""
    bench = Bench(tuple(with_before([CHATROOM], CHECKOUT)), CHECKOUT)
    for measure in MEASURES:
        if measure.name in PRESETS[preset]:
            parser = argparse.ArgumentParser()
            measure.arguments(parser)
            tasks = measure.tasks(bench, parser.parse_args(PRESETS[preset][measure.name].split()))
            ours = [task for task in tasks if task.label.endswith(": chatroom")]
            assert len(tasks) == 2 * len(ours) > 0
