from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.compared import PAIRS, against_before
from benchmarks.results import Row
from benchmarks.servers import CHATROOM, SERVERS, with_before
from benchmarks.servers.base import Missing
from benchmarks.servers.chatroom import with_rate

if TYPE_CHECKING:
    from pathlib import Path


def _row(server: str, turn: int, cost: float, **setting: int) -> Row:
    return Row("rest", server, {"round": turn, **setting}, {"cost": cost, "complete": True, "lost": 2})


def test_figures_are_divided_within_a_round() -> None:
    """The median of the rounds; what must be 0, or is no number, has no ratio."""
    rows = [row for turn in range(3) for row in (_row("chatroom", turn, 2.0 * turn + 2), _row("before", turn, 2))]
    (row,) = against_before(rows)
    assert row.server == "chatroom / before"
    assert row.setting == {}
    assert row.figures == {"cost": 2.0}


def test_only_equal_circumstances_are_compared() -> None:
    """Other members, other servers and rows that are not to be used have no counterpart."""
    unusable = Row("rest", "before", {"round": 0, "members": 1}, {"cost": 1.0}, note="refused")
    rows = [_row("chatroom", 0, 1, members=1), _row("before", 0, 1, members=2), _row("inspircd", 0, 1, members=1)]
    assert against_before([*rows, unusable]) == []


def test_the_best_of_each_are_compared_at_any_rate() -> None:
    """Today's most and the most before came at different offered rates."""
    rows = [_row("chatroom", 0, 4, **{"offered lines/s": 200}), _row("before", 0, 1, **{"offered lines/s": 100})]
    assert against_before(rows) == []
    assert [row.figures for row in against_before(rows, at_any_rate=True)] == [{"cost": 4.0}]


def test_the_other_checkout_takes_turns_with_ours(tmp_path: Path) -> None:
    """Behind each of ours stands its counterpart, spoken to in the same way; others have none."""
    servers = with_before(SERVERS.values(), tmp_path)
    names = [server.name for server in servers]
    assert names[:4] == ["chatroom", "before", "chatroom-json", "before-json"]
    assert len(names) == len(SERVERS) + len(PAIRS)
    assert servers[3].dialect == "json"


def test_the_other_checkout_runs_its_own_daemon(tmp_path: Path) -> None:
    """It is the one in its own environment; without one the row says what is missing."""
    before = with_before([CHATROOM], tmp_path)[1]
    with pytest.raises(Missing, match="venv"):
        before.command(tmp_path, 1)
    twistd = tmp_path / ".venv" / "bin" / "twistd"
    twistd.parent.mkdir(parents=True)
    twistd.touch()
    assert with_rate(before, "20/200").command(tmp_path, 1)[0] == str(twistd)
    assert with_rate(before, "20/200").command(tmp_path, 1)[-2:] == ["--rate", "20/200"]
