"""The stories of this folder are played at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.stage import ACTS, Stories

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def stories(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """Those that were chosen."""
    tests = [getattr(item, "obj", None) for item in request.session.items]
    played = Stories([ACTS[test] for test in tests if test in ACTS], tmp_path_factory.mktemp("stories"))
    yield played
    played.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them are in one process, however many run the tests: the stories are played once."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("cluster"))
