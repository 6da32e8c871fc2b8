from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.events import Event, Kind
from twistedchat.recent import EVENT_OVERHEAD_BYTES, Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

COST = EVENT_OVERHEAD_BYTES + 1


def events(first: int, last: int, text: str = "x") -> list[Event]:
    return [Event("lobby", seq, 0, Kind.SAY, "ann", text) for seq in range(first, last + 1)]


def seqs(found: Sequence[Event] | None) -> list[int] | None:
    return None if found is None else [event.seq for event in found]


class RecentTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.recent = Recent(10 * COST)

    def test_pages(self) -> None:
        """What follows a seq comes in order, at most as many as asked for; after the last there is nothing."""
        self.recent.extend(events(5, 9))
        self.assertEqual(seqs(self.recent.after(4, 100)), [5, 6, 7, 8, 9])
        self.assertEqual(seqs(self.recent.after(6, 2)), [7, 8])
        self.assertEqual(seqs(self.recent.after(9, 2)), [])

    def test_forgotten(self) -> None:
        """What is not in memory is None, never a page with a hole."""
        self.assertIsNone(self.recent.after(0, 5))
        self.recent.extend(events(5, 9))
        self.assertIsNone(self.recent.after(3, 5))
        self.recent.clear()
        self.assertIsNone(self.recent.after(8, 5))

    def test_bounded(self) -> None:
        """No more is kept than allowed, and that is the newest."""
        for seq in range(1, 101):
            self.recent.extend(events(seq, seq))
        self.assertEqual(seqs(self.recent.after(90, 100)), list(range(91, 101)))
        self.assertIsNone(self.recent.after(89, 100))

    def test_one_that_is_too_large(self) -> None:
        """The newest event is kept, however long it is."""
        self.recent.extend(events(1, 3, "x" * 100_000))
        self.assertEqual(seqs(self.recent.after(2, 100)), [3])

    def test_page_from_the_store(self) -> None:
        """A page goes before what is here if the two meet and it fits; else all stays as it was."""
        self.recent.extend(events(8, 10))
        for first, last in [(1, 6), (3, 8), (1, 3), (6, 7)]:
            self.recent.fill(events(first, last), seq=10)
        self.recent.fill([], seq=10)
        self.assertEqual(seqs(self.recent.after(5, 100)), [6, 7, 8, 9, 10])
        self.recent.fill(events(0, 5), seq=10)
        self.assertIsNone(self.recent.after(4, 100))

    def test_page_for_an_empty_memory(self) -> None:
        """With nothing here, a page is taken only if it ends at the room's last event."""
        self.recent.fill(events(5, 9), seq=10)
        self.assertIsNone(self.recent.after(4, 100))
        self.recent.fill(events(6, 10), seq=10)
        self.assertEqual(seqs(self.recent.after(5, 100)), [6, 7, 8, 9, 10])
