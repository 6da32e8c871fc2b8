"""The way of a line into the log: one queue a room, one commit at a time, and what became of each line.

While a commit is under way, what arrives waits and is the next batch (group commit). Knows the store and
when a room's next batch is due. Must not know rooms, members or who speaks: each line comes with a
`Receipt`, and what was stored goes to one `Sink`, which shows it and reports back (`Writer.shown`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.appender import Appender
from twistedchat.errors import ChatError
from twistedchat.events import memory_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.events import Draft, Event
    from twistedchat.stores.base import Outcome, Store, Stored

__all__ = ["MAX_BATCH_BYTES", "MAX_BATCH_LINES", "MAX_WAITING_BYTES", "MAX_WAITING_LINES"]
__all__ += ["Batch", "Line", "Queue", "Receipt", "Sink", "Writer"]

MAX_WAITING_LINES = 8192
"""High-water mark of lines that are not yet stored and shown, all rooms together; at it we stop reading from senders.

Source: a tenth of a second at 80,000 lines a second. Reading goes on at half of it.
"""

MAX_WAITING_BYTES = 8 * 2**20
"""High-water mark of the texts of those lines, in bytes of memory; a commit of 1 MiB takes some 15 ms.

Source: `MAX_WAITING_LINES` lines of 1 KiB.
"""

MAX_BATCH_LINES = 4096
"""Most lines of one commit, so that a backlog does not make the next line wait long. Source: about 30 ms of SQLite."""

MAX_BATCH_BYTES = 2**20
"""Size limit of the texts of one commit, in bytes of memory. Source: `MAX_BATCH_LINES` lines of 256 bytes."""


_log = Logger()


class Receipt(Protocol):
    """Whoever brought a line, and wants to know what became of it. Neither may raise."""

    def stored(self, tag: object, stored: Stored) -> None:
        """The line stands in the log as this event, and has been taken into its room."""
        ...

    def refused(self, tag: object, error: ChatError) -> None:
        """The line was not stored, and nobody has been or will be shown it."""
        ...


class Line(NamedTuple):
    """A draft, whom to tell what became of it, and the teller's own mark."""

    draft: Draft
    receipt: Receipt
    tag: object


class Queue:
    """The lines of one room that are not yet stored. Made by `Writer.queue`.

    Attributes:
        room: The room's name.
        lines: They, in the order of arrival.
        committing: Those of the batch whose outcome is not known yet.
        is_busy: Whether a batch of this room is being stored or shown.
        not_before: The time before which the next batch waits.
    """

    __slots__ = ("committing", "is_busy", "lines", "not_before", "room")

    def __init__(self, room: str) -> None:
        self.room = room
        self.lines: list[Line] = []
        self.committing: Sequence[Line] = ()
        self.is_busy = False
        self.not_before = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self.is_busy and not self.lines

    @property
    def waiting(self) -> frozenset[str]:
        """The ids of all lines whose outcome is not known yet."""
        return frozenset(line.draft.id for line in (*self.committing, *self.lines))

    @property
    def is_being_shown(self) -> bool:
        """Whether lines that are stored are just being shown."""
        return self.is_busy and not self.committing

    def may_be_committing(self, events: Sequence[Event]) -> bool:
        """Whether lines whose outcome is not known yet may be among these events."""
        said = {(line.draft.who, line.draft.text) for line in self.committing}
        return bool(said) and any((event.who, event.text) in said for event in events)


class Batch(NamedTuple):
    """The lines of one room that were in one commit, and what became of each."""

    queue: Queue
    lines: Sequence[Line]
    outcomes: Sequence[Outcome]


class Sink(Protocol):
    """Takes what the log holds now, answers the receipts, shows it, and calls `Writer.shown` for each batch."""

    def landed(self, batches: Sequence[Batch]) -> None:
        """These lines were stored, or refused."""
        ...


class Writer:
    """Makes lines durable.

    A room whose last batch is still being shown, or was shown a moment ago and asked for a pause, waits; a
    lone line waits for nobody.

    Args:
        store: Where lines are made durable.
        clock: For delays.
    """

    __slots__ = (
        "_appender",
        "_clock",
        "_committing",
        "_is_open",
        "_lines",
        "_refusal",
        "_settled",
        "_sink",
        "_size_bytes",
        "_timer",
        "_timer_due",
        "_waiting",
    )

    def __init__(self, store: Store, clock: IReactorTime) -> None:
        self._appender = Appender(store, clock)
        self._clock = clock
        self._sink: Sink
        self._waiting = _Waiting()
        self._lines = 0
        self._size_bytes = 0
        self._committing = False
        self._timer: IDelayedCall | None = None
        self._timer_due = 0.0
        self._settled: list[Deferred[None]] = []
        self._is_open = False
        self._refusal: ChatError | None = None

    # -- taking lines in -----------------------------------------------------------------------

    def open(self, sink: Sink) -> None:
        """The store is ready: lines are taken from now on, and what was stored goes to the sink."""
        self._sink = sink
        self._is_open = True
        self._release()

    @property
    def full(self) -> bool:
        """Whether no more lines should be brought until `when_drained` says so; also before `open`."""
        return self._lines >= MAX_WAITING_LINES or self._size_bytes >= MAX_WAITING_BYTES or not self._is_open

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back, once, when there is room for more lines."""
        self._waiting.senders[callback] = None

    def no_longer(self, callback: Callable[[], None]) -> None:
        """Whoever is to be called back is gone."""
        self._waiting.senders.pop(callback, None)

    def submit(self, queue: Queue, draft: Draft, receipt: Receipt, tag: object) -> None:
        """Let a line be stored and shown, after all that was submitted to that queue before it.

        Raises:
            ChatError: All lines are refused for the time being.
        """
        if self._refusal is not None:
            # Not the same exception again and again: each time it would remember where it was raised.
            raise ChatError(self._refusal.code, self._refusal.text)
        self._lines += 1
        self._size_bytes += memory_of(draft)
        lines = queue.lines
        lines.append(Line(draft, receipt, tag))
        if len(lines) == 1 and not queue.is_busy:
            # Not stored at once: what else is read in this turn of the reactor comes along.
            self._waiting.queues[queue] = None
            if not self._committing and (self._timer is None or queue.not_before < self._timer_due):
                self._flush_by(queue.not_before)

    def refuse(self, error: ChatError) -> None:
        """Refuse every line that is not in a commit, as its speaker may have lost the name, and all until `accept`."""
        self._refusal = error
        queues = [*self._waiting.queues, *self._waiting.busy]
        self._waiting.queues.clear()
        for queue in queues:
            lines, queue.lines = queue.lines, []
            self._count(lines, -1)
            for line in lines:
                self._tell(line, error)
        self._release()

    def accept(self) -> None:
        """Take lines again."""
        self._refusal = None

    async def settle(self, seconds: float) -> bool:
        """Wait until every line that was submitted has been stored and shown, or refused.

        Args:
            seconds: Wait no longer.

        Returns:
            Whether that came in time.
        """
        done: Deferred[None] = Deferred()
        self._settled.append(done)
        self._release()
        try:
            await done.addTimeout(seconds, self._clock)
        except defer.TimeoutError:
            self._settled.remove(done)
            return False
        return True

    # -- storing -------------------------------------------------------------------------------

    def _flush_by(self, due: float) -> None:
        """Commit at this time, or earlier."""
        delay = max(0.0, due - self._clock.seconds()) if due else 0.0
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._flush)
        elif due < self._timer_due:
            self._timer.reset(delay)
        else:
            return
        self._timer_due = due

    def _flush(self) -> None:
        """Commit what is due; what is due later is seen to then."""
        self._timer = None
        batches = self._waiting.take_due(self._clock.seconds())
        if batches:
            self._committing = True
            Deferred.fromCoroutine(self._commit(batches)).addErrback(
                lambda failure: _log.failure("The writer failed", failure)
            )
        elif self._waiting.queues:
            self._flush_by(min(queue.not_before for queue in self._waiting.queues))

    async def _commit(self, batches: Sequence[tuple[Queue, list[Line]]]) -> None:
        drafts = [line.draft for _, lines in batches for line in lines]
        outcomes = await self._appender.append(drafts)
        self._committing = False
        # The store works on the next batch while this one is shown.
        if self._waiting.queues:
            self._flush_now()
        landed = []
        start = 0
        for queue, lines in batches:
            end = start + len(lines)
            queue.committing = ()
            landed.append(Batch(queue, lines, outcomes[start:end]))
            start = end
        self._sink.landed(landed)

    def _flush_now(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._flush()

    # -- afterwards ----------------------------------------------------------------------------

    def shown(self, batch: Batch, not_before: float) -> None:
        """A batch has been shown: the room's next one may go, from this time on."""
        queue = batch.queue
        queue.is_busy = False
        del self._waiting.busy[queue]
        queue.not_before = not_before
        self._count(batch.lines, -1)
        if queue.lines:
            self._waiting.queues[queue] = None
            if not self._committing:
                self._flush_by(not_before)
        if self._waiting.senders or self._settled:
            self._release()

    def _count(self, lines: Sequence[Line], sign: int) -> None:
        self._lines += sign * len(lines)
        for line in lines:
            self._size_bytes += sign * memory_of(line.draft)

    def _tell(self, line: Line, error: ChatError) -> None:
        try:
            line.receipt.refused(line.tag, error)
        except Exception:
            _log.failure("A receipt was not taken")

    def _release(self) -> None:
        """Let those talk again who were kept waiting."""
        waiting = self._waiting
        half = self._lines < MAX_WAITING_LINES // 2 and self._size_bytes < MAX_WAITING_BYTES // 2
        if waiting.senders and half and self._is_open:
            senders, waiting.senders = waiting.senders, {}
            for callback in senders:
                callback()
        if self._settled and not self._lines:
            settled, self._settled = self._settled, []
            for done in settled:
                done.callback(None)


class _Waiting:
    """What waits for a commit, and who waits for room.

    Attributes:
        queues: Those that have lines and no batch under way, the longest waiting first.
        busy: Those that have a batch under way.
        senders: Who is called back when there is room.
    """

    __slots__ = ("busy", "queues", "senders")

    def __init__(self) -> None:
        self.queues: dict[Queue, None] = {}
        self.busy: dict[Queue, None] = {}
        self.senders: dict[Callable[[], None], None] = {}

    def take_due(self, now: float) -> list[tuple[Queue, list[Line]]]:
        """The next commit: the lines of all queues that are due, up to the limits of a batch."""
        batches = []
        space = _Space()
        for queue in [queue for queue in self.queues if queue.not_before <= now]:
            if not space.is_left:
                break
            del self.queues[queue]
            lines = space.take(queue.lines)
            queue.lines = queue.lines[len(lines) :] if len(lines) < len(queue.lines) else []
            queue.committing = lines
            queue.is_busy = True
            self.busy[queue] = None
            batches.append((queue, lines))
        return batches


class _Space:
    """What still fits into a commit."""

    __slots__ = ("_bytes", "_lines")

    def __init__(self) -> None:
        self._lines = MAX_BATCH_LINES
        self._bytes = MAX_BATCH_BYTES

    @property
    def is_left(self) -> bool:
        """Whether anything more fits."""
        return self._lines > 0 and self._bytes > 0

    def take(self, lines: list[Line]) -> list[Line]:
        """The first of these lines that fit: at least one."""
        taken = 0
        for line in lines:
            self._bytes -= memory_of(line.draft)
            taken += 1
            if self._bytes <= 0 or taken == self._lines:
                break
        self._lines -= taken
        return lines if taken == len(lines) else lines[:taken]
