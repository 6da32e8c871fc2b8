from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.stores import check_store, make_store
from twistedchat.stores.base import StoreError
from twistedchat.stores.memory import MemoryStore
from twistedchat.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from twistedchat.stores.base import Store


def made(url: str) -> Store:
    unused: Any = Clock()
    return make_store(url, reactor=unused, clock=Clock().seconds)


class MakeStoreTests(SynchronousTestCase):
    """A URL picks the store."""

    def test_kinds(self) -> None:
        """The two stores there are; making one touches no file."""
        assert isinstance(made("memory:"), MemoryStore)
        assert isinstance(made("sqlite:/nowhere/chatroom.db"), SqliteStore)
        assert isinstance(made("sqlite:not-made.db"), SqliteStore)
        assert not Path("not-made.db").exists()

    def test_unknown(self) -> None:
        """Anything else is refused with what is possible, by the check too."""
        for url in ("", "chatroom.db", "sqlite:", "sqlite", "memory", "memory:x", "redis://localhost", ":"):
            for attempt in (made, check_store):
                with pytest.raises(StoreError) as raised:
                    attempt(url)
                sentence = str(raised.value)
                assert repr(url) in sentence
                assert "sqlite:chatroom.db" in sentence
                assert "memory:" in sentence
