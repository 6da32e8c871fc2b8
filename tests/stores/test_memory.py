from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.drafts import draft
from twistedchat.events import Draft, Kind
from twistedchat.stores.base import Stored
from twistedchat.stores.memory import EVENTS_PER_ROOM, MemoryStore


class MemoryStoreTests(SynchronousTestCase):
    """What only the memory does: it forgets."""

    def test_forgets_its_oldest(self) -> None:
        """A room keeps its newest events and their keys; seq and topic go on."""
        store = MemoryStore(Clock().seconds)

        def append(*batch: Draft) -> list[int]:
            outcomes = self.successResultOf(ensureDeferred(store.append(batch)))
            return [outcome.event.seq for outcome in outcomes if isinstance(outcome, Stored)]

        topic = draft("lobby", Kind.TOPIC, "alice", "tea", "first")
        line = draft("lobby", Kind.SAY, "alice", "x", "second")
        append(topic, line)
        append(*[draft("lobby", Kind.SAY, "bob", "y")] * (EVENTS_PER_ROOM - 1))

        (oldest,) = self.successResultOf(ensureDeferred(store.read("lobby", after=0, limit=1)))
        (summary,) = self.successResultOf(ensureDeferred(store.rooms()))
        assert (oldest.seq, oldest.text) == (2, "x")
        assert (summary.seq, summary.topic) == (EVENTS_PER_ROOM + 1, "tea")
        assert append(line) == [2]
        assert append(topic) == [EVENTS_PER_ROOM + 2]
