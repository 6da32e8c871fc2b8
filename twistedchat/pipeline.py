"""The one way of a line: whatever is said waits here, is stored in a batch, and is shown.

Knows the order of arrival and when a room's next batch is due. Must not know who speaks: each line
comes with a `Receipt` that is told what became of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.room import PRESENCE_LIMIT, RECENT_BYTES
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from twistedchat.events import Draft, Event
    from twistedchat.fanout import Fanout
    from twistedchat.room import Room
    from twistedchat.stores.base import Store

__all__ = ["MAX_WAITING", "Pipeline", "Receipt"]

MAX_WAITING = 8192
"""So many lines wait at the most before whoever talks is not read any more.

Source: at 4 KiB a line that is 32 MiB, and a tenth of a second at 80,000 lines a second.
"""

MAX_BATCH = 4096
"""The most lines in one commit: about 30 ms of SQLite, so that a backlog does not make the next line wait long."""

LONGEST_PAUSE_SECONDS = 0.02
"""The longest that a busy room's next batch waits, so that each send carries more lines.

Source: a prototype with 1,000 members and 10,000 lines/s took 99 % of a core without a pause, 57 % with
10 ms and 45 % with 20 ms; its p99 went from 29 to 32 and 47 ms.
"""

ALL_RECENT_BYTES = 64 * 2**20
"""The newest events of all rooms together take about so much memory, shared out evenly."""

LEAST_RECENT_BYTES = 16 * 2**10
"""But each room gets so much: about 30 short lines."""


class Receipt(Protocol):
    """Whoever brought a line, and wants to know what became of it."""

    def stored(self, tag: object, event: Event, *, again: bool) -> None:
        """The line stands in the log as this event; ``again``: it had stood there before."""
        ...

    def refused(self, tag: object, error: ChatError) -> None:
        """The line was not stored, and nobody has been or will be shown it."""
        ...


class _Line(NamedTuple):
    draft: Draft
    receipt: Receipt
    tag: object


class Pipeline:
    """One queue for each room, one commit at a time.

    While a commit is under way, what arrives waits and goes into the next one. A room whose last
    batch is still being shown, or was shown a moment ago and had several lines, waits a little, so
    that under load a send carries many lines; a lone line waits for nobody.

    Args:
        store: Where lines are made durable.
        reactor: For the time.
        fanout: Where showing takes its turns.
        before: Called with a room just before something new is shown there.
    """

    def __init__(self, store: Store, reactor: IReactorTime, fanout: Fanout, before: Callable[[Room], None]) -> None:
        self._store = store
        self._reactor = reactor
        self._fanout = fanout
        self._before = before
        self._waiting: dict[Room, list[_Line]] = {}
        self._size = 0
        self._committing = False
        self._next: IDelayedCall | None = None
        self._next_time = 0.0
        self._throttled: list[Callable[[], None]] = []
        self._idle: list[Deferred[None]] = []
        self._showing = 0
        self._failing = False
        self._opened = False
        self._log = Logger()
        # How many rooms have somebody in them; the hub keeps it up to date.
        self.live_rooms = 0

    # -- taking lines in -----------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether no more lines should be brought until `when_drained` says so; also before `open`."""
        return self._size >= MAX_WAITING or not self._opened

    def open(self) -> None:
        """The store is ready."""
        self._opened = True
        self._release()

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back, once, when there is room for more lines."""
        self._throttled.append(callback)

    def submit(self, room: Room, draft: Draft, receipt: Receipt, tag: object) -> None:
        """Let a line be stored and shown, after all that was submitted to that room before it."""
        self._size += 1
        lines = self._waiting.get(room)
        if lines is None:
            # Not stored at once: what else is read in this turn of the reactor comes along.
            self._waiting[room] = [_Line(draft, receipt, tag)]
            if not room.fanning:
                self._flush_by(room.not_before)
        else:
            lines.append(_Line(draft, receipt, tag))

    def has(self, room: Room) -> bool:
        """Whether lines of this room are on their way."""
        return room.fanning or room in self._waiting

    def settled(self) -> Deferred[None]:
        """Fires when every line that was submitted has been stored and shown."""
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        self._check_idle()
        return done

    # -- storing -------------------------------------------------------------------------------

    def _schedule(self) -> None:
        """See to it that the next batch goes when it is due."""
        due = min((room.not_before for room in self._waiting if not room.fanning), default=None)
        if due is not None:
            self._flush_by(due)

    def _flush_by(self, due: float) -> None:
        """Commit at this time, or earlier; after a commit that is under way it is seen to anyway."""
        if self._committing or (self._next is not None and self._next_time <= due):
            return
        delay = max(0.0, due - self._reactor.seconds())
        if self._next is None:
            self._next = self._reactor.callLater(delay, self._flush)
        else:
            self._next.reset(delay)
        self._next_time = due

    def _flush(self) -> None:
        """Commit what is due."""
        self._next = None
        batch = self._take_due()
        if batch:
            self._committing = True
            Deferred.fromCoroutine(self._commit(batch)).addErrback(
                lambda failure: self._log.failure("The pipeline failed", failure)
            )
        else:
            self._schedule()

    def _take_due(self) -> dict[Room, list[_Line]]:
        now = self._reactor.seconds()
        batch: dict[Room, list[_Line]] = {}
        space = MAX_BATCH
        for room in [room for room in self._waiting if not room.fanning and room.not_before <= now]:
            lines = self._waiting.pop(room)
            if len(lines) > space:
                # The rest stays, as the last in the row of rooms.
                self._waiting[room] = lines[space:]
                lines = lines[:space]
            batch[room] = lines
            room.fanning = True
            space -= len(lines)
            if not space:
                break
        return batch

    async def _commit(self, batch: dict[Room, list[_Line]]) -> None:
        drafts = [line.draft for lines in batch.values() for line in lines]
        work: list[Iterator[None]] = []
        try:
            events = await self._store.append(drafts)
        except StoreError as error:
            self._refuse(batch, error)
        except Exception as error:
            self._log.failure("The store failed in a way that it should not")
            self._refuse(batch, StoreError(type(error).__name__))
        else:
            work = self._landed(batch, events)
        self._committing = False
        self._size -= len(drafts)
        # The store works on the next batch while this one is shown.
        self._flush()
        self._showing += len(work)
        for showing in work:
            self._fanout.add(showing)
        self._release()

    def _refuse(self, batch: dict[Room, list[_Line]], error: StoreError) -> None:
        """Tell everybody that their line was not stored; tell the operator once."""
        if not self._failing:
            self._failing = True
            self._log.error("Lines can't be stored, and are refused until they can: {error}", error=error)
        refusal = ChatError("not-stored", f"Your line was not said, it can't be stored now: {error} Try again later.")
        for room, lines in batch.items():
            room.fanning = False
            for line in lines:
                try:
                    line.receipt.refused(line.tag, refusal)
                except Exception:
                    self._log.failure("A receipt was not taken")

    def _landed(self, batch: dict[Room, list[_Line]], events: Sequence[Event]) -> list[Iterator[None]]:
        """Take stored events into their rooms, and say what is to be done to show them."""
        if self._failing:
            self._failing = False
            self._log.info("Lines can be stored again.")
        large: list[Iterator[None]] = []
        small: list[tuple[Room, list[Event]]] = []
        start = 0
        for room, lines in batch.items():
            stored = events[start : start + len(lines)]
            start += len(lines)
            new = self._take_in(room, lines, stored)
            if room.count > PRESENCE_LIMIT:
                large.append(self._show([(room, new)]))
            else:
                small.append((room, new))
        return [self._show(small), *large] if small else large

    def _take_in(self, room: Room, lines: list[_Line], stored: Sequence[Event]) -> list[Event]:
        """Put what is new into the room, and tell everybody what became of their line."""
        before = seq = room.seq
        new = []
        for event in stored:
            if event.seq > seq:
                seq = event.seq
                new.append(event)
        if new:
            room.recent.max_bytes = self._recent_bytes()
            room.extend(new)
        seen = before
        for line, event in zip(lines, stored, strict=True):
            try:
                line.receipt.stored(line.tag, event, again=event.seq <= seen)
            except Exception:
                self._log.failure("A receipt was not taken")
            seen = max(seen, event.seq)
        return new

    def _recent_bytes(self) -> int:
        return min(RECENT_BYTES, max(LEAST_RECENT_BYTES, ALL_RECENT_BYTES // max(1, self.live_rooms)))

    # -- showing -------------------------------------------------------------------------------

    def _show(self, batch: list[tuple[Room, list[Event]]]) -> Iterator[None]:
        """Show rooms their new events, one room after the other."""
        for room, events in batch:
            try:
                if events:
                    yield from self._deal(room, events)
            except Exception:
                self._log.failure("Events could not be shown")
            room.fanning = False
        self._showing -= 1
        self._schedule()
        self._check_idle()

    def _deal(self, room: Room, events: Sequence[Event]) -> Iterator[None]:
        """Show one room its new events, and see when its next batch is due."""
        self._before(room)
        cost = 0.0
        began = self._reactor.seconds()
        for _ in room.deal(events):
            cost += self._reactor.seconds() - began
            yield
            began = self._reactor.seconds()
        if len(events) > 1:
            room.not_before = began + min(LONGEST_PAUSE_SECONDS, 2 * cost)

    def _release(self) -> None:
        """Let those talk again who were kept waiting."""
        if self._throttled and self._size < MAX_WAITING // 2:
            throttled, self._throttled = self._throttled, []
            for callback in throttled:
                callback()
        self._check_idle()

    def _check_idle(self) -> None:
        if self._idle and not self._size and not self._showing:
            idle, self._idle = self._idle, []
            for done in idle:
                done.callback(None)
