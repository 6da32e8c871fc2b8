from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override
from zope.interface import implementer

from tests.drafts import draft
from tests.fakes import HeldStore, Reactor, now
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.reading import LogReader
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from twisted.logger import LogEvent


@implementer(ILogObserver)
class Levels:
    """The levels of what the operator is told about reading."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        """Look at what is logged."""
        if event.get("log_namespace") == "twistedchat.reading":
            self.seen.append(event["log_level"].name)


class LogReaderTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.store = HeldStore(Reactor().seconds)
        self.store.fill([draft("old", Kind.SAY, "zoe", str(number)) for number in range(5)])
        self.reader = LogReader(self.store)
        levels = Levels()
        self.logged = levels.seen
        globalLogPublisher.addObserver(levels)
        self.addCleanup(globalLogPublisher.removeObserver, levels)

    def read(self) -> list[int]:
        return [event.seq for event in now(self.reader.page("old", after=2, limit=9, max_bytes=100))]

    def test_told_once(self) -> None:
        """The operator is told when reading begins to fail, and when it works again, not each time."""
        self.assertEqual(self.read(), [3, 4, 5])
        for _ in range(2):
            self.store.fault = StoreError("The disk is on fire.")
            for _ in range(3):
                self.assertRaises(StoreError, self.read)
            self.store.fault = None
            for _ in range(3):
                self.read()
        self.assertEqual(self.logged, ["error", "info"] * 2)

    def test_fault_of_the_stores_own(self) -> None:
        """A store that fails in an unforeseen way can't be read, which is logged once, with where."""
        self.store.fault = ZeroDivisionError()  # type: ignore[assignment]
        for _ in range(3):
            self.assertRaises(StoreError, self.read)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.logged, ["critical"])

    def test_asked_for(self) -> None:
        """Whoever asked is told in a sentence without what only the operator should know."""
        self.store.fault = StoreError("/srv/chat.db is on fire.")
        with self.assertRaises(ChatError) as caught:
            now(self.reader.excerpt("old", limit=1, max_bytes=1))
        self.assertEqual(caught.exception.code, "not-readable")
        self.assertNotIn("/srv", caught.exception.text)

    def test_cancelled(self) -> None:
        """Whoever goes while it waits has said nothing about the store."""
        self.store.holding_reads = True
        answer = Deferred.fromCoroutine(self.reader.excerpt("old", limit=1, max_bytes=1))
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.logged, [])
