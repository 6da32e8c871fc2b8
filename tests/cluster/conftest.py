"""The stories of this folder are played at the same time."""

from __future__ import annotations

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
