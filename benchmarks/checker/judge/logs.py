"""One event at a place, for everybody and ever; and what each connection is shown: cursor + 1. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.checker.judge.records import mark_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.checker.judge.lines import LineBook
    from benchmarks.checker.judge.records import Event
    from benchmarks.checker.judge.verdict import Verdict

__all__ = ["Logs", "Views"]


class Logs:
    """The logs, as far as somebody was shown them.

    Args:
        verdict: Is told what is wrong.
        lines: Is told what stands.
    """

    def __init__(self, verdict: Verdict, lines: LineBook) -> None:
        self._verdict = verdict
        self._lines = lines
        self._events: dict[str, dict[int, Event]] = {}
        self._known: dict[str, int] = {}
        self._passed: dict[str, int] = {}

    def saw(self, event: Event, source: str) -> None:
        """Somebody was shown an event.

        Args:
            event: As it was shown.
            source: By whom, to whom.
        """
        events = self._events.setdefault(event.room, {})
        known = events.get(event.seq)
        if known is None or (known.at is None and event.at is not None):
            events[event.seq] = event
            self._known[event.room] = max(event.seq, self.known(event.room))
            self._lines.stands(event, source)
            self._judge_time(event, source)
        if known is not None and not _is_same(known, event):
            told = f"{source} has {event}; before it was {known}"
            self._verdict.against("two-events-at-a-seq", (event.room, event.seq, mark_of(event.text)), told)

    def _judge_time(self, event: Event, source: str) -> None:
        events = self._events[event.room]
        before, behind = events.get(event.seq - 1), events.get(event.seq + 1)
        for earlier, later in ((before, event), (event, behind)):
            if earlier and later and earlier.at is not None and later.at is not None and later.at < earlier.at:
                told = f"{later} is earlier than {earlier}, says {source}"
                self._verdict.against("time-goes-back", (later.room, later.seq), told)

    @property
    def count(self) -> int:
        """How many events somebody was shown."""
        return sum(map(len, self._events.values()))

    def known(self, room: str) -> int:
        """Up to which seq somebody was shown the log."""
        return self._known.get(room, 0)

    def at_rest(self, room: str, rows: Sequence[Event], source: str, *, first: int = 1, last: int) -> None:
        """The log of a room, read while nothing happens: from a seq to its end.

        Args:
            room: Its name.
            rows: In the order of reading.
            source: Where it was read.
            first: The first seq that was asked for.
            last: The seq that it must reach at least: what was `known` before it was read.
        """
        for place, event in enumerate(rows, first):
            if event.seq != place:
                told = f"{source} has {event} of #{room} where {place} should be"
                self._verdict.against("hole-in-the-log", (room, place), told)
                return
            self.saw(event, source)
            if event.seq == self._passed.get(room, 0) + 1:
                self._passed[room] = event.seq
                self._lines.passed(event)
        end = first - 1 + len(rows)
        for seq in range(end + 1, last + 1):
            shown = self._events[room].get(seq)
            if shown is not None:
                told = f"{source} ends #{room} at {end}; shown was {shown}"
                self._verdict.against("shown-but-lost", (room, seq), told)


def _is_same(one: Event, other: Event) -> bool:
    if one.at is None or other.at is None:
        return one[3:5] == other[3:5] and mark_of(one.text) == mark_of(other.text)
    return one == other


class Views:
    """Where each connection stands in each room.

    Args:
        verdict: Is told what is wrong.
    """

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._cursors: dict[tuple[str, str], int | None] = {}
        self.deliveries = 0

    def begins(self, connection: str, room: str, cursor: int | None) -> None:
        """What is shown from now on begins behind a seq; None if that is not known."""
        self._cursors[connection, room] = cursor

    def ends(self, connection: str, room: str) -> None:
        """The connection is not in the room any more."""
        self._cursors.pop((connection, room), None)

    def cursor(self, connection: str, room: str) -> int | None:
        """The last seq that a connection was shown."""
        return self._cursors.get((connection, room))

    def shown(self, connection: str, event: Event) -> None:
        """A connection is shown an event."""
        self.deliveries += 1
        place = connection, event.room
        if place not in self._cursors:
            told = f"{connection} is not in #{event.room}, and was shown {event}"
            self._verdict.against("shown-to-nobody", place, told)
            return
        cursor = self._cursors[place]
        self._cursors[place] = event.seq
        if cursor is None or event.seq == cursor + 1:
            return
        kind = "gap" if event.seq > cursor else "shown-again"
        told = f"{connection} had been shown #{event.room} up to {cursor}, and was then shown {event}"
        self._verdict.against(kind, (connection, event.room, event.seq), told)
