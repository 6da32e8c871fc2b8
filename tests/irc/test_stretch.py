"""Whatever is asked for in pages, by place or by time: the pages joined are the log."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import now
from twistedchat.events import Event, Kind
from twistedchat.irc.stretch import MAX_MORE, Wish, newest, oldest, pages, surrounding

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from twistedchat.irc.stretch import Stretch

KINDS = st.sampled_from([Kind.SAY, Kind.SAY, Kind.ME, Kind.TOPIC, Kind.NOTICE])
WISHES = st.builds(Wish, st.integers(1, 9), st.booleans(), st.booleans())


class Log:
    """A room's log, which is read in pages of a few events, however many are asked for.

    Attributes:
        events: It.
        most: So many events has a page.
    """

    def __init__(self, steps: Sequence[tuple[int, Kind]], most: int, forgotten: int = 0) -> None:
        times = itertools.accumulate(step for step, _ in steps)
        events = [
            Event("den", seq, at, kind, "ann", "x")
            for seq, (at, (_, kind)) in enumerate(zip(times, steps, strict=True), 1)
        ]
        self.events = events[forgotten:]
        self.most = most

    async def read(self, *, after: int | None = None, before: int | None = None, limit: int) -> Sequence[Event]:
        low, high = after or 0, before if before is not None else len(self.events) + 10**6
        found = [event for event in self.events if low < event.seq < high]
        most = min(limit, self.most)
        return found[:most] if after is not None else found[-most:]

    @property
    def end(self) -> int:
        """The seq behind the last."""
        return self.events[-1].seq + 1 if self.events else 1

    def shown(self, wish: Wish) -> list[Event]:
        return [event for event in self.events if wish.topics or event.kind is not Kind.TOPIC]

    def lines(self, asked: Coroutine[Any, Any, Stretch], wish: Wish) -> list[Event]:
        """What a stretch shows."""
        stretch = now(asked)
        found: list[Event] = now(self._all(stretch))
        lines = [event for event in found if wish.topics or event.kind is not Kind.TOPIC]
        assert len(lines) == stretch.lines
        return lines

    async def _all(self, stretch: Stretch) -> list[Event]:
        return [event async for page in pages(self.read, stretch) for event in page]


LOGS = st.builds(
    Log,
    st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 5]), KINDS), max_size=40),
    st.integers(1, 12),
    st.integers(0, 5),
)


class PagesTests(SynchronousTestCase):
    @given(LOGS, WISHES)
    def test_onward(self, log: Log, wish: Wish) -> None:
        """From the oldest on."""
        place, joined = 0, list[Event]()
        while page := log.lines(oldest(log.read, place, log.end, wish), wish):
            assert len(page) >= wish.limit or page[-1] == log.shown(wish)[-1]
            assert wish.is_whole or len(page) <= wish.limit
            joined += page
            place = self.seq_at(log, page[-1].at + 1) if wish.is_whole else page[-1].seq
        self.assertEqual(joined, log.shown(wish))

    @given(LOGS, WISHES)
    def test_back(self, log: Log, wish: Wish) -> None:
        """From the newest back."""
        place, joined = log.end, list[Event]()
        while page := log.lines(newest(log.read, 0, place, wish), wish):
            assert len(page) >= wish.limit or page[0] == log.shown(wish)[0]
            assert wish.is_whole or len(page) <= wish.limit
            joined[:0] = page
            place = self.seq_at(log, page[0].at) + 1 if wish.is_whole else page[0].seq
        self.assertEqual(joined, log.shown(wish))

    @given(LOGS, WISHES, st.integers(0, 45), st.integers(0, 45))
    def test_between(self, log: Log, wish: Wish, low: int, high: int) -> None:
        """Nothing from outside of what is asked for."""
        inside = [event for event in log.shown(wish) if low < event.seq < high]
        for page, whole in (
            (log.lines(oldest(log.read, low, high, wish), wish), inside[: wish.limit]),
            (log.lines(newest(log.read, low, high, wish), wish), inside[-wish.limit :]),
        ):
            assert [event for event in page if event in whole] == whole
            assert all(event in inside for event in page)
            assert wish.is_whole or page == whole

    @given(LOGS, WISHES, st.integers(1, 45))
    def test_around(self, log: Log, wish: Wish, middle: int) -> None:
        """An unbroken part of the log around a place, full unless the log is short."""
        page = log.lines(surrounding(log.read, middle, log.end, wish), wish)
        shown = log.shown(wish)
        self.assertGreaterEqual(len(page), min(wish.limit, len(shown)))
        if not wish.is_whole:
            self.assertLessEqual(len(page), wish.limit)
        if page:
            start = shown.index(page[0])
            self.assertEqual(page, shown[start : start + len(page)])
            nearest = next((event for event in shown if event.seq >= middle), shown[-1])
            self.assertIn(nearest, page)

    def test_one_commit(self) -> None:
        """A millisecond in which more was said than one commit holds does not make a page without a bound."""
        log = Log([(0, Kind.SAY)] * (MAX_MORE + 100), 500)
        wish = Wish(10, topics=False, is_whole=True)
        self.assertEqual(len(log.lines(oldest(log.read, 0, log.end, wish), wish)), 10 + MAX_MORE)

    @staticmethod
    def seq_at(log: Log, at: int) -> int:
        """The last seq before a time."""
        return max((event.seq for event in log.events if event.at < at), default=0)
