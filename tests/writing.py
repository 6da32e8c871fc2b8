"""A writer with a store that answers as a test says, a sink that shows when it says, and somebody who speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override
from zope.interface import implementer

from tests.drafts import draft
from tests.fakes import HeldStore, Reactor
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.stores.base import UNKNOWN, Refused, Stored, StoreError
from twistedchat.writer import Queue, Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.logger import LogEvent

    from twistedchat.events import Draft
    from twistedchat.stores.base import Outcome
    from twistedchat.writer import Batch

__all__ = ["FULL", "WriterTestCase"]

FULL = StoreError("The disk is full.")


class ScriptedStore(HeldStore):
    """A store that notes each commit, and answers otherwise than it does when a test says so.

    Attributes:
        commits: The texts of each append.
        asked: The texts of each `outcomes`.
        doubtful: The texts whose outcome is unknown until they are taken out of here.
        lost: The texts that were not stored, as turns out later.
        short: How many outcomes are left out.
        raises: A fault of the store's own.
    """

    def __init__(self, reactor: Reactor) -> None:
        super().__init__(reactor.seconds)
        self.commits: list[list[str]] = []
        self.asked: list[list[str]] = []
        self.doubtful: set[str] = set()
        self.lost: set[str] = set()
        self.short = 0
        self.raises: Exception | None = None
        self._stood: dict[str, Outcome] = {}

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        self.commits.append([draft.text for draft in batch])
        if self.raises is not None:
            raise self.raises
        kept = [draft for draft in batch if draft.text not in self.lost]
        outcomes = dict(zip([draft.id for draft in kept], await super().append(kept), strict=True)) if kept else {}
        self._stood.update(outcomes)
        return self._answers(batch)[self.short :]

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        self.asked.append([draft.text for draft in batch])
        if self.raises is not None:
            raise self.raises
        return self._answers(batch)

    def _answers(self, batch: Sequence[Draft]) -> list[Outcome]:
        return [UNKNOWN if draft.text in self.doubtful else self._stood.get(draft.id, Refused(FULL)) for draft in batch]


class Screens:
    """A sink: answers the receipts, and shows at once or when a test says so.

    Attributes:
        writer: Is told when a batch has been shown.
        landed_texts: The texts of each batch.
        slow: Whether batches wait to be shown.
        not_before: The time before which the next batch of a room is not to come.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.landed_texts: list[list[str]] = []
        self.slow = False
        self.not_before = 0.0
        self._waiting: list[Batch] = []

    def landed(self, batches: Sequence[Batch]) -> None:
        self._waiting += batches
        for batch in batches:
            self.landed_texts.append([line.draft.text for line in batch.lines])
            for line, outcome in zip(batch.lines, batch.outcomes, strict=True):
                if isinstance(outcome, Stored):
                    line.receipt.stored(line.tag, outcome)
                elif isinstance(outcome, Refused):
                    line.receipt.refused(line.tag, ChatError("not-stored", str(outcome.error)))
        if not self.slow:
            self.show()

    def show(self) -> None:
        """All that waits has been shown."""
        waiting, self._waiting = self._waiting, []
        for batch in waiting:
            self.writer.shown(batch, self.not_before)


class Speaker:
    """Takes receipts.

    Attributes:
        heard: What it was told.
        broken: Whether it raises.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.broken = False

    def stored(self, tag: object, stored: Stored) -> None:
        self.heard.append(f"{tag} is {stored.event.seq}{'' if stored.fresh else ' again'}")

    def refused(self, tag: object, error: ChatError) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.heard.append(f"{tag} refused: {error.code}")


@implementer(ILogObserver)
class Levels:
    """The levels of what the writer tells the operator, but for faults of the store's own."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        """Look at what is logged."""
        if event.get("log_namespace") == "twistedchat.appender" and "log_failure" not in event:
            self.seen.append(event["log_level"].name)


class WriterTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.store = ScriptedStore(self.clock)
        self.writer = Writer(self.store, self.clock)
        self.sink = Screens(self.writer)
        self.writer.open(self.sink)
        self.lobby, self.py = Queue("lobby"), Queue("py")
        self.ann = Speaker()
        levels = Levels()
        self.logged = levels.seen
        globalLogPublisher.addObserver(levels)
        self.addCleanup(globalLogPublisher.removeObserver, levels)

    def say(self, *texts: str, queue: Queue | None = None, key: str | None = None) -> None:
        queue = queue or self.lobby
        for text in texts:
            self.writer.submit(queue, draft(queue.room, Kind.SAY, "ann", text, key), self.ann, text[:9])

    def turn(self) -> None:
        self.clock.advance(0)

    def release(self) -> None:
        self.store.release()
        self.turn()
