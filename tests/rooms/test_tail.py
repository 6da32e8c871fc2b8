from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.rooms.cases import JSON, PLAIN, events
from twistedchat.rooms.tail import BUDGET_BYTES, TAIL_BYTES, Budget, Tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

LONG = "x" * 3000
"""A text of which a tail holds some 320 events."""


def found(page: Sequence[Event] | None) -> list[int] | None:
    return None if page is None else [event.seq for event in page]


class TailTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.budget = Budget()
        self.tail = Tail(self.budget)

    def held(self, tail: Tail | None = None) -> list[int]:
        """The seqs in a tail that ends at most at 1000."""
        tail = tail or self.tail
        for after in range(1000):
            page = tail.after(after, 1000)
            if page is not None:
                return [event.seq for event in page]
        return []


class EventsTests(TailTestCase):
    def test_after(self) -> None:
        """What follows a seq comes in order, at most as many as asked for; after the last there is nothing."""
        self.tail.extend(events(5, 9))
        self.assertEqual(found(self.tail.after(4, 100)), [5, 6, 7, 8, 9])
        self.assertEqual(found(self.tail.after(6, 2)), [7, 8])
        self.assertEqual(found(self.tail.after(9, 2)), [])

    def test_not_here(self) -> None:
        """What is not in memory is None, never a page with a hole."""
        self.assertIsNone(self.tail.after(0, 5))
        self.tail.extend(events(5, 9))
        self.assertIsNone(self.tail.after(3, 5))
        self.tail.clear()
        self.assertIsNone(self.tail.after(8, 5))

    def test_bounded(self) -> None:
        """A tail keeps no more than its limit, and that is the newest."""
        for seq in range(1, 1001):
            self.tail.extend(events(seq, seq, LONG))
        held = self.held()
        self.assertEqual(held, list(range(held[0], 1001)))
        self.assertTrue(0.9 * TAIL_BYTES < len(held) * len(LONG) < TAIL_BYTES)

    def test_tags_count(self) -> None:
        """What goes with the events counts as their texts do."""
        for seq in range(1, 1001):
            self.tail.extend([event._replace(tags=LONG) for event in events(seq, seq, "x")])
        self.assertTrue(0.85 * TAIL_BYTES < len(self.held()) * len(LONG) < TAIL_BYTES)

    def test_one_that_is_too_large(self) -> None:
        """The newest event is kept, however long it is."""
        self.tail.extend(events(1, 3, "x" * TAIL_BYTES))
        self.assertEqual(self.held(), [3])

    def test_page_from_the_store(self) -> None:
        """A page goes before what is here if the two meet and it fits; else all stays as it was."""
        self.tail.extend(events(8, 10, LONG))
        for first, last in [(1, 6), (3, 8), (1, 3), (5, 6)]:
            self.tail.prepend(events(first, last), 10)
        self.tail.prepend([], 10)
        self.tail.prepend(events(7, 7, "x" * TAIL_BYTES), 10)
        self.assertEqual(self.held(), [8, 9, 10])
        self.tail.prepend(events(5, 7), 10)
        self.assertEqual(self.held(), [5, 6, 7, 8, 9, 10])

    def test_page_for_an_empty_tail(self) -> None:
        """With nothing here, a page is taken only if it ends at the room's last event."""
        self.tail.prepend(events(5, 9), 10)
        self.assertEqual(self.held(), [])
        self.tail.prepend(events(6, 10), 10)
        self.assertEqual(self.held(), [6, 7, 8, 9, 10])

    def test_what_was_passed_over(self) -> None:
        """Events that do not follow on what is here take its place: nobody is shown the two as if they met."""
        self.tail.extend(events(1, 3))
        self.tail.extend(events(6, 8))
        self.assertEqual(self.held(), [6, 7, 8])

    def test_log_with_a_hole(self) -> None:
        """A page of a log from which something was deleted is not kept: each place in a tail is counted."""
        holed = [*events(4, 5), *events(7, 8)]
        self.tail.extend(events(9, 9))
        self.tail.prepend(holed, 9)
        self.assertEqual(self.held(), [9])
        self.tail.extend([*events(10, 10), *events(12, 12)])
        self.assertIn(found(self.tail.after(10, 5)), (None, [12]))
        self.assertIn(found(self.tail.after(11, 5)), (None, [12]))
        self.assertEqual(found(self.tail.after(12, 5)) or [], [])


class PagesTests(TailTestCase):
    def test_rendered_once(self) -> None:
        """The same part of the log in the same format is rendered once, until something new is said."""
        new = events(1, 3)
        self.tail.extend(new)
        page = self.tail.page(JSON, new)
        self.assertIs(self.tail.page(JSON, events(1, 3)), page)
        self.assertIsNot(self.tail.page(PLAIN, new), page)
        self.assertIsNot(self.tail.page(JSON, new[1:]), page)
        self.tail.extend(events(4, 4))
        self.assertIsNot(self.tail.page(JSON, new), page)

    def test_bounded(self) -> None:
        """From however many places a room is read, the pages that are kept stay within their limit."""
        new = events(1, 1000, "x" * 50)
        self.tail.extend(new)
        before = self.budget.used_bytes
        for start in range(900):
            self.tail.page(JSON, new[start : start + 100])
            self.assertLessEqual(self.budget.used_bytes - before, TAIL_BYTES // 2 + 2**18)

    def test_counted(self) -> None:
        """Pages count in the budget as what they take, and are the first thing to be given up."""
        new = events(1, 100)
        self.tail.extend(new)
        before = self.budget.used_bytes
        page = self.tail.page(JSON, new)
        self.assertGreaterEqual(self.budget.used_bytes - before, len(page.data) + sum(map(len, page.lines)))
        self.assertEqual(self.tail.shrink(1), self.budget.used_bytes - before)
        self.assertEqual(self.held(), list(range(1, 101)))


class BudgetTests(TailTestCase):
    def test_default(self) -> None:
        """Without a word from the operator the budget is the documented one."""
        self.assertEqual(Budget().max_bytes, BUDGET_BYTES)

    def test_least_recently_used_gives_way(self) -> None:
        """What is over the budget is taken from the room that was used longest ago, its oldest events first."""
        budget = Budget(10**9)
        tails = [Tail(budget) for _ in range(3)]
        for tail in tails:
            tail.extend(events(1, 100))
        budget.max_bytes = budget.used_bytes
        tails[0].extend(events(101, 150))
        self.assertEqual([self.held(tail)[-1] for tail in tails], [150, 100, 100])
        self.assertEqual([len(self.held(tail)) for tail in tails], [150, 50, 100])
        tails[0].extend(events(151, 250))
        self.assertEqual([len(self.held(tail)) for tail in tails], [250, 0, 50])

    def test_reading_is_use(self) -> None:
        """A room whose pages are being rendered is in use."""
        budget = Budget(10**9)
        first, second = Tail(budget), Tail(budget)
        first.extend(events(1, 100))
        second.extend(events(1, 100))
        first.page(JSON, events(1, 1))
        budget.max_bytes = budget.used_bytes
        Tail(budget).extend(events(1, 30))
        self.assertEqual((len(self.held(first)), len(self.held(second))), (100, 70))

    def test_newest_of_the_room_in_use(self) -> None:
        """The newest event of the room that is being spoken in is not given up, even if it alone is over the budget."""
        budget = Budget(100)
        tail = Tail(budget)
        tail.extend(events(1, 3))
        self.assertEqual(self.held(tail), [3])

    def test_many_rooms(self) -> None:
        """However many rooms there are and whatever was said last in each, all stay within the budget."""
        budget = Budget(100_000)
        tails = [Tail(budget) for _ in range(500)]
        for tail in tails:
            tail.extend(events(1, 2, LONG))
            self.assertLessEqual(budget.used_bytes, budget.max_bytes)
        self.assertEqual(sum(len(self.held(tail)) for tail in tails[:400]), 0)

    def test_gone(self) -> None:
        """Rooms that are forgotten take nothing, also those that had to give way."""
        budget = Budget(20_000)
        tails = [Tail(budget) for _ in range(50)]
        for tail in tails:
            tail.extend(events(1, 10))
            tail.page(JSON, events(1, 10))
        for tail in tails:
            tail.clear()
        self.assertEqual(budget.used_bytes, 0)

    steps = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["say", "page", "prepend", "clear"])), max_size=60)

    @given(steps)
    def test_any_use(self, steps: list[tuple[int, str]]) -> None:
        """Whatever is done with some rooms, the sum is right and within the budget, and each tail is unbroken."""
        budget = Budget(6_000)
        tails = [Tail(budget) for _ in range(6)]
        last = [20] * 6
        for which, step in steps:
            tail, seq = tails[which], last[which]
            if step == "say":
                tail.extend(events(seq + 1, seq + 3))
                last[which] += 3
            elif step == "page":
                tail.page(JSON, events(seq, seq))
            elif step == "prepend":
                held = self.held(tail)
                first = held[0] if held else seq + 1
                tail.prepend(events(max(1, first - 4), first - 1), seq)
            else:
                tail.clear()
            self.assertLessEqual(budget.used_bytes, budget.max_bytes)
            held = self.held(tail)
            self.assertEqual(held, list(range(held[0], last[which] + 1)) if held else [])
        for tail in tails:
            tail.clear()
        self.assertEqual(budget.used_bytes, 0)

    def test_what_it_says_is_what_it_takes(self) -> None:
        """The bytes that are counted are about those that Python takes."""
        tracemalloc.start()
        try:
            for seq in range(1, 2001):
                self.tail.extend(events(seq, seq, f"{seq:0100}"))
            taken = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        self.assertTrue(0.5 < self.budget.used_bytes / taken < 2, (self.budget.used_bytes, taken))
