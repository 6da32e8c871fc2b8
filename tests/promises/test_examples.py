from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.promises.examples import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class _Recorder(RuleBasedStateMachine):
    """Takes down what is drawn."""

    drawn: list[int]

    @rule(number=st.integers(0, 10**6), choice=st.sampled_from(range(50)))
    def draw(self, number: int, choice: int) -> None:
        self.drawn += [number, choice]


def _drawn() -> list[int]:
    _Recorder.drawn = []
    run(_Recorder)
    return _Recorder.drawn


def _load(path: Path) -> None:
    """Load a module that stands among the project's."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = module_from_spec(spec)
    spec.loader.exec_module(module)


def test_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples are the same when a file with other numbers is added to the project."""
    before = _drawn()
    (tmp_path / "added.py").write_text(f"NUMBERS = {list(range(77_000, 78_000))}\n")
    monkeypatch.setitem(sys.modules, "added", None)
    _load(tmp_path / "added.py")
    assert _drawn() == before
    assert len(set(before)) > 1000


def test_how_many_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment asks for more examples, and for those of another seed, which are the same again."""
    usual = _drawn()
    monkeypatch.setenv("PROMISE_EXAMPLES", "150")
    monkeypatch.setenv("PROMISE_SEED", "7")
    more = _drawn()
    assert len(more) > len(usual)
    assert more[: len(usual)] != usual
    assert _drawn() == more
