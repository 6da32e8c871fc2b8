"""The hostile measure against the daemon itself, with few peers: its figures are there, not how large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.load.attacks import ATTACKS
from benchmarks.load.hostile import hostile
from benchmarks.load.jobs import Hostile
from benchmarks.servers import CHATROOM
from benchmarks.servers.base import running
from benchmarks.servers.chatroom import with_rate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("attack", ["none", "resume", "history", "flood"])
def test_an_attack_leaves_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, attack: str) -> None:
    """Peers come, ask, do not read, and go; all pings of the bystanders are answered."""
    monkeypatch.setattr("benchmarks.load.hostile.STEADY_SECONDS", 0.3)
    with running(with_rate(CHATROOM, ATTACKS[attack].rate), tmp_path) as daemon:
        (figures,) = hostile(Hostile(*daemon.contact, attack=attack, peers=3, limit_seconds=20))
    assert figures["lost"] == 0
    assert figures["closed"] == 0
    assert float(figures["samples"]) > 0
    assert float(figures["above_idle_bytes"]) > 0
