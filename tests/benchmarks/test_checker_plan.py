"""What the checker does: its schedule of faults, and the bugs by which it is checked itself."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from benchmarks.checker.bugs import plant
from benchmarks.checker.schedule import KINDS, ROUND_SECONDS, kinds_for, rounds
from benchmarks.checker.seeded import BUGS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize("kinds", [kinds_for(postgres=False, standby=False), kinds_for(postgres=True, standby=True)])
def test_the_same_seed_gives_the_same_schedule(kinds: Sequence[str]) -> None:
    """Every fault is over when its round is, every kind comes, and another seed gives another schedule."""
    played = list(islice(rounds(7, kinds, 3), 10))
    assert played == list(islice(rounds(7, kinds, 3), 10))
    assert played != list(islice(rounds(8, kinds, 3), 10))
    assert {fault.kind for faults in played for fault in faults} == set(kinds)
    assert all(fault.at + fault.seconds <= ROUND_SECONDS for faults in played for fault in faults)


def test_faults_of_one_subject_do_not_overlap() -> None:
    """A node that is stopped is not killed, nor does the database fail in two ways at once."""
    for faults in islice(rounds(3, list(KINDS), 2), 20):
        for number, fault in enumerate(faults):
            for later in faults[number + 1 :]:
                assert later.subject != fault.subject or later.at > fault.at + fault.seconds


@pytest.mark.parametrize("name", BUGS)
def test_bugs_fit_the_program(name: str, tmp_path: Path) -> None:
    """Each bug can be put into a copy of the package."""
    plant(BUGS[name], tmp_path)
    for patch in BUGS[name].patches:
        assert patch.new in (tmp_path / "twistedchat" / patch.path).read_text("utf-8")
