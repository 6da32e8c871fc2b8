"""From the log to the rooms: own lines, and those that other nodes appended.

A room is itself a cursor on the log: whatever follows on its seq is taken in and shown; where something
is missing, it is read first. So a receipt is only answered when its room has come to the line. Knows
rooms and the writer. Must not know who speaks, nor how anything is rendered.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.errors import ChatError
from twistedchat.formats.base import PAGE_BYTES
from twistedchat.rooms.audience import GONE
from twistedchat.rooms.tail import PAGE_EVENTS
from twistedchat.stores.base import Refused, Stored, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.events import Event
    from twistedchat.reading import LogReader
    from twistedchat.rooms.announce import Announcer
    from twistedchat.rooms.catchup import CatchUp
    from twistedchat.rooms.live import LiveRooms
    from twistedchat.rooms.room import Room
    from twistedchat.turns import Turns
    from twistedchat.writer import Batch, Line, Writer

__all__ = ["MAX_PAUSE_SECONDS", "Feed"]

MAX_PAUSE_SECONDS = 0.02
"""Longest pause before a busy room's next batch, in seconds, so that each send carries more lines.

Source: a prototype with 1,000 members and 10,000 lines/s took 99 % of a core without a pause, 57 % with
10 ms and 45 % with 20 ms; its p99 went from 29 to 32 and 47 ms.
"""

RETRY_SECONDS = 1.0
"""Longest delay before events that could not be read are asked for again, in seconds. Source: as `rooms.catchup`'s."""

FIRST_RETRY_SECONDS = 0.1
"""First of these delays, in seconds; each is twice the last. Source: a connection is made anew within milliseconds."""

_SMALL_BATCH = 64
"""Most events that a small room is shown in one step; more are shown as in a large room.

Source: 50 members who all want other zones or numbers cost 50 renderings of 3 µs an event, so 10 ms; a whole
commit of 4,096 lines would be one step of 0.6 s.
"""

_ROOMS_A_STEP = 8
"""Small rooms that are shown a batch before the fan-out looks at the clock. Source: 8 rooms of 4 are 32 sends."""


class _Owed(NamedTuple):
    """A line that is stored, in a room that has not come to it yet."""

    line: Line
    stored: Stored


class Feed:
    """Takes what stands in the log into the rooms, and has it shown.

    Args:
        rooms: Those that somebody is in.
        writer: Is told when a batch has been shown.
        reader: Reads what is missing.
        catch_up: Shows it.
        turns: Where showing takes its turns.
        announcer: Tells who is here before somebody speaks.
        clock: For the time and delays.
        idle: Called with a room in which nothing is on its way any more.
    """

    __slots__ = (
        "_announcer",
        "_catch_up",
        "_changes",
        "_clock",
        "_idle",
        "_log",
        "_owed",
        "_reader",
        "_reading",
        "_rooms",
        "_turns",
        "_writer",
    )

    def __init__(
        self,
        rooms: LiveRooms,
        writer: Writer,
        reader: LogReader,
        catch_up: CatchUp,
        turns: Turns,
        announcer: Announcer,
        clock: IReactorTime,
        idle: Callable[[Room], None],
    ) -> None:
        self._rooms = rooms
        self._writer = writer
        self._reader = reader
        self._catch_up = catch_up
        self._turns = turns
        self._announcer = announcer
        self._clock = clock
        self._idle = idle
        self._owed: dict[Room, list[_Owed]] = {}
        # The rooms that are being read, each with the seq up to which its members have been shown it.
        self._reading: dict[Room, int] = {}
        # Whoever waits until something of a room is taken in.
        self._changes: dict[str, list[Deferred[None]]] = {}
        self._log = Logger()

    # -- own lines -----------------------------------------------------------------------------

    def landed(self, batches: Sequence[Batch]) -> None:
        """As `writer.Sink`."""
        small: list[tuple[Batch, Room | None, list[Event]]] = []
        for batch in batches:
            room = self._rooms.get(batch.queue.room)
            try:
                events = self._take_in(room, batch)
            except Exception:
                self._log.failure("Events could not be taken in")
                events = []
            self._changed(batch.queue.room)
            if room is None or (room.presence.is_small and len(events) <= _SMALL_BATCH):
                small.append((batch, room, events))
            else:
                self._turns.add(self._show_large(batch, room, events))
        if small:
            self._turns.add(self._show_small(small))

    def _take_in(self, room: Room | None, batch: Batch) -> list[Event]:
        """Put what is new into the room and answer for each line; what is left is to be shown."""
        outcomes = batch.outcomes
        if room is not None and len(outcomes) == 1:
            [outcome] = outcomes
            if isinstance(outcome, Stored) and outcome.fresh and outcome.event.seq == room.seq + 1:
                # What nearly every batch of a small room is.
                room.extend(events := [outcome.event])
                self._tell(batch.lines[0], outcome)
                return [] if room in self._reading else events
        events = [outcome.event for outcome in outcomes if isinstance(outcome, Stored) and outcome.fresh]
        if room is None:  # nobody is here to be shown anything
            self._answer(batch)
            return []
        if events and events[0].seq <= room.seq and events[0].at > room.seq_at:
            # Later than all that was shown, but not behind it: "at" never goes back, so the log has.
            self.log_lost(room.name, events[0].seq - 1, room.seq_at)
        if events and events[0].seq == room.seq + 1 and events[-1].seq == room.seq + len(events):
            room.extend(events)
            if room in self._reading:
                # Shown along with what is read: each showing costs a send for every member.
                events = []
            elif len(events) == len(outcomes):
                self._answer(batch)
                return events
        else:
            events = []
        ahead = max((o.event.seq for o in outcomes if isinstance(o, Stored)), default=0)
        if ahead > room.seq:
            self._owe(room, batch)
            self.heard(room.name, ahead)
        else:
            self._answer(batch)
        return events

    def _answer(self, batch: Batch) -> None:
        for line, outcome in zip(batch.lines, batch.outcomes, strict=True):
            if isinstance(outcome, Stored):
                try:
                    line.receipt.stored(line.tag, outcome)
                except Exception:
                    self._log.failure("A receipt was not taken")
            else:
                self._tell(line, outcome)

    def _owe(self, room: Room, batch: Batch) -> None:
        """Answer for what the room has come to; the rest waits."""
        for line, outcome in zip(batch.lines, batch.outcomes, strict=True):
            if isinstance(outcome, Stored) and outcome.event.seq > room.seq:
                self._owed.setdefault(room, []).append(_Owed(line, outcome))
            else:
                self._tell(line, outcome)

    def _tell(self, line: Line, outcome: object) -> None:
        """Tell a line's receipt what became of the line; a receipt that raises is logged."""
        if isinstance(outcome, Stored):
            try:
                line.receipt.stored(line.tag, outcome)
            except Exception:
                self._log.failure("A receipt was not taken")
        elif isinstance(outcome, Refused):
            sentence = f"Your line was not said, it can't be stored now: {outcome.error} Try again later."
            self._refuse(line, ChatError("not-stored", sentence))

    def _refuse(self, line: Line, error: ChatError) -> None:
        try:
            line.receipt.refused(line.tag, error)
        except Exception:
            self._log.failure("A receipt was not taken")

    # -- lines of others -----------------------------------------------------------------------

    def heard(self, name: str, head: int) -> None:
        """The log of a room goes up to this seq. May be told late, twice, or of a room that nobody is in."""
        room = self._rooms.get(name)
        if room is None or head <= room.seq:
            return
        room.head = max(room.head, head)
        if room not in self._reading:
            self._reading[room] = room.seq
            Deferred.fromCoroutine(self._read_on(room)).addErrback(
                lambda failure: self._log.failure("A room could not be read on", failure)
            )

    async def reach(self, room: Room, seq: int) -> None:
        """Take a room forward to this seq, if its log goes so far: another node may have shown it already.

        Raises:
            ChatError: ``not-readable``: the log can't be looked at.
        """
        if room.seq < seq:
            self.heard(room.name, (await self._rooms.summary(room.name)).seq)
            while room.seq < min(seq, room.head):
                await self._change(room.name)

    def _change(self, room: str) -> Deferred[None]:
        change: Deferred[None] = Deferred()
        self._changes.setdefault(room, []).append(change)
        return change

    def _changed(self, room: str) -> None:
        for change in self._changes.pop(room, ()):
            change.callback(None)

    async def _read_on(self, room: Room) -> None:
        """Read and show what the room has not come to, one page after the other, in the room's pace."""
        try:
            await self._sleep(room.queue.not_before - self._clock.seconds())
            retry = FIRST_RETRY_SECONDS
            while self._rooms.get(room.name) is room and (room.seq < room.head or self._reading[room] < room.seq):
                was_read = room.seq == room.head or await self._read_page(room)
                pause = await self._show_read(room)
                room.queue.not_before = max(room.queue.not_before, self._clock.seconds() + pause)
                await self._sleep(pause if was_read else retry)
                retry = FIRST_RETRY_SECONDS if was_read else min(2 * retry, RETRY_SECONDS)
        finally:
            del self._reading[room]
        self._pay(room)
        self._idle(room)

    async def _read_page(self, room: Room) -> bool:
        """Take in a page that follows; False if it can't be read now. Each makes progress, or the rest is not there."""
        after = room.seq
        try:
            events = await self._reader.page(room.name, after=after, limit=PAGE_EVENTS, max_bytes=PAGE_BYTES)
        except StoreError:
            return False
        while room.queue.may_be_committing(events):
            # Whoever said it is told that it is stored before it is shown.
            await self._change(room.name)
        events = [event for event in events if event.seq > room.seq]
        if events:
            room.extend(events)
            self._pay(room)
        elif room.seq == after:
            # The log has lost its end. Its readers go on behind it too, or they would be shown nothing more.
            room.seq = room.head
        self._changed(room.name)
        return True

    async def _show_read(self, room: Room) -> float:
        """Show what was taken in since the room was shown last; the pause in seconds that is due after it."""
        shown = self._reading[room]
        if room.seq <= shown:
            return 0.0
        events = room.tail.after(shown, PAGE_EVENTS) or []
        self._reading[room] = last = events[-1].seq if events else room.seq
        done: Deferred[float] = Deferred()
        self._turns.add(self._show_up_to(room, events, last, done))
        cost = await done
        return _pause(room, cost) if last > shown + 1 else 0.0

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            over: Deferred[None] = Deferred()
            self._clock.callLater(seconds, over.callback, None)
            await over

    def _pay(self, room: Room) -> None:
        """Answer for the lines that the room has come to."""
        owed = self._owed.pop(room, [])
        rest = [each for each in owed if each.stored.event.seq > room.seq]
        if rest:
            self._owed[room] = rest
        for line, stored in owed:
            if stored.event.seq <= room.seq:
                self._tell(line, stored)

    def log_lost(self, name: str, head: int, at: int) -> None:
        """The log of a room ends before what was shown, or holds something else there: go on behind this event."""
        room = self._rooms.get(name)
        if room is None:
            return
        self._log.error("The log of #{room} ends at {head}: what was shown behind it is lost.", room=name, head=head)
        room.cut(head, at)
        if room in self._reading:
            self._reading[room] = head
        self._changed(name)
        lost = ChatError("not-stored", "Your line was stored, and is lost: the database has gone back. Say it again.")
        for line, _ in self._owed.pop(room, []):
            self._refuse(line, lost)

    # -- showing -------------------------------------------------------------------------------

    def _show_small(self, shows: Sequence[tuple[Batch, Room | None, list[Event]]]) -> Iterator[None]:
        """Show small rooms their new events, each room in one step."""
        for number, (batch, room, events) in enumerate(shows, 1):
            not_before = room.queue.not_before if room is not None else 0.0
            if room is not None and events:
                began = self._clock.seconds() if len(events) > 1 else 0.0
                try:
                    for _ in self._announcer.before_speech(room, events):
                        pass
                    room.audience.deal_now(events)
                except Exception:
                    self._log.failure("Events could not be shown")
                if began:
                    now = self._clock.seconds()
                    not_before = now + _pause(room, now - began)
            self._shown(batch, room, not_before)
            if not number % _ROOMS_A_STEP:
                yield

    def _show_large(self, batch: Batch, room: Room, events: Sequence[Event]) -> Iterator[None]:
        """Show a large room its new events, and see when its next batch is due."""
        cost = 0.0
        began = self._clock.seconds()
        try:
            if events:
                for _ in chain(self._announcer.before_speech(room, events), room.audience.deal(events)):
                    cost += self._clock.seconds() - began
                    yield
                    began = self._clock.seconds()
        finally:
            is_busy = len(events) > 1
            not_before = began + _pause(room, cost) if is_busy else room.queue.not_before
            self._shown(batch, room, not_before)

    def _show_up_to(self, room: Room, events: Sequence[Event], last: int, done: Deferred[float]) -> Iterator[None]:
        """Show what was read; whoever is passed over, as a batch of our own is just being shown, goes on alone.

        Args:
            room: Where.
            events: As far as they are in memory.
            last: The seq that everybody comes to.
            done: Fires with the time that it took, in seconds, others' turns left out.
        """
        cost = 0.0
        began = self._clock.seconds()
        try:
            told = self._announcer.before_speech(room, events)
            for _ in chain(told, room.audience.deal(events), self._bring_forward(room, last)):
                cost += self._clock.seconds() - began
                yield
                began = self._clock.seconds()
        finally:
            done.callback(cost + self._clock.seconds() - began)

    def _bring_forward(self, room: Room, last: int) -> Iterator[None]:
        for member in list(room.audience.members):
            if GONE < member.cursor < last:
                self._catch_up.bring_forward(room, member)
                yield

    def _shown(self, batch: Batch, room: Room | None, not_before: float) -> None:
        self._writer.shown(batch, not_before)
        if room is not None and not room.audience.count:
            self._idle(room)


def _pause(room: Room, cost: float) -> float:
    """How long a busy room waits, in seconds: as if all its members were here, or each node would send more often."""
    return min(MAX_PAUSE_SECONDS, 2 * cost * room.presence.count / max(1, room.audience.count))
