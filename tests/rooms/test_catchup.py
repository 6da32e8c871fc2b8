from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tests.drafts import draft
from tests.fakes import HeldStore, Reactor
from tests.rooms.cases import JSON, PLAIN, RoomTestCase, Screen, events, seqs
from twistedchat.events import Kind
from twistedchat.formats.base import PAGE_BYTES
from twistedchat.reading import LogReader
from twistedchat.rooms.audience import GONE, Member
from twistedchat.rooms.catchup import MAX_READS, RETRY_SECONDS, CatchUp
from twistedchat.rooms.tail import PAGE_EVENTS
from twistedchat.stores.base import DamagedError, StoreError
from twistedchat.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twistedchat.events import Event

ALL = 3 * PAGE_EVENTS


class CountingStore(HeldStore):
    """A store that counts reads, and may leave out the end of its log.

    Attributes:
        reads: How many.
        last: The seq behind which nothing is left.
        raises: A fault of the store's own.
    """

    reads = 0
    last = 10**9
    raises: Exception | None = None

    @override
    async def read(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int | None = None,
    ) -> Sequence[Event]:
        self.reads += 1
        if self.raises is not None:
            raise self.raises
        page = await super().read(room, after=after, before=before, limit=limit, max_bytes=max_bytes)
        return [event for event in page if event.seq <= self.last]


class CatchUpTestCase(RoomTestCase):
    """A room with a long log, of which nothing is in memory."""

    @override
    def setUp(self) -> None:
        super().setUp()
        self.clock = Reactor()
        self.store = CountingStore(self.clock.seconds)
        self.store.fill([draft("lobby", Kind.SAY, "ann", "hi") for _ in range(ALL)])
        self.catch_up = CatchUp(LogReader(self.store), self.clock, Turns(self.clock))
        self.room = self.make_room(seq=ALL)

    def forward(self, *members: Member) -> None:
        for member in members:
            self.catch_up.bring_forward(self.room, member)

    def release(self) -> None:
        """The store answers, and everything after it at once."""
        self.store.holding_reads = False
        self.store.release()


class MemoryTests(CatchUpTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.room = self.make_room()
        self.enter("other")
        self.say(events(1, 1200))

    def test_to_the_end(self) -> None:
        """A member that is behind is brought to the end, a page at a time, and what is said then follows at once."""
        late, screen = self.enter("late", cursor=50)
        self.forward(late)
        self.say(events(1201, 1201))
        self.assertEqual(seqs(screen), list(range(51, 1202)))
        self.assertLessEqual(max(data.count(b"\n") for data in screen.shown), PAGE_EVENTS)
        self.assertEqual((screen.told, self.store.reads), (["caught up in lobby"], 0))

    def test_at_the_end(self) -> None:
        """A member that has seen all is told so, and shown nothing."""
        late, screen = self.enter("late")
        self.forward(late)
        self.assertEqual((screen.shown, screen.told), ([], ["caught up in lobby"]))

    def test_full(self) -> None:
        """It goes on only as far as the outlet takes it, and later from there."""
        late, screen = self.enter("late", cursor=0)
        screen.full = True
        self.forward(late)
        self.assertEqual((late.cursor, screen.shown, screen.told), (0, [], []))
        screen.full = False
        self.forward(late)
        self.assertEqual(seqs(screen), list(range(1, 1201)))

    def test_pages_in_bytes(self) -> None:
        """A page of long lines is cut by its bytes, also where the log was kept in memory."""
        self.say(events(1201, 1260, "x" * 4000))
        late, screen = self.enter("late", cursor=1200)
        self.forward(late)
        self.assertEqual(seqs(screen), list(range(1201, 1261)))
        self.assertLessEqual(max(map(len, screen.shown)), PAGE_BYTES)

    def test_gone(self) -> None:
        """Nothing is shown to somebody who has left or lost the connection."""
        gone, screen = self.enter("gone", cursor=0)
        gone.cursor = GONE
        lost, _ = self.enter("lost", cursor=0)
        lost.outlet = None
        self.forward(gone, lost)
        self.assertEqual((screen.shown, screen.told, lost.cursor, self.store.reads), ([], [], 0, 0))


class StoreTests(CatchUpTestCase):
    def test_no_seam(self) -> None:
        """Whoever comes in far back is brought forward page by page, and then shown what is said, without a seam."""
        late, screen = self.enter("late", cursor=100)
        self.store.holding_reads = True
        self.forward(late)
        self.store.fill([draft("lobby", Kind.SAY, "ann", "live")])
        self.say(events(ALL + 1, ALL + 1, "live"))
        self.assertEqual(screen.shown, [])
        self.release()
        self.assertEqual(seqs(screen), list(range(101, ALL + 2)))
        self.assertEqual(screen.told, ["caught up in lobby"])

    def test_read_once_for_all(self) -> None:
        """Members who stand at the same place wait for one reading of the store, and each is shown it its own way."""
        members = [self.enter(f"p{number}", (JSON, PLAIN)[number % 2], cursor=ALL - 20) for number in range(6)]
        self.store.holding_reads = True
        self.forward(*(member for member, _ in members))
        self.assertEqual(self.store.waiting, 1)
        self.release()
        self.assertEqual([screen.text.count("\n") for _, screen in members], [20] * 6)
        self.assertEqual(self.store.reads, 1)

    def test_kept_in_memory(self) -> None:
        """What was read up to the end is not read again for the next one."""
        for name in ("first", "second"):
            self.forward(self.enter(name, cursor=ALL - 20)[0])
        self.assertEqual(self.store.reads, 1)

    def test_asked_twice(self) -> None:
        """A member that waits for a page and is brought forward again is shown the page once."""
        late, screen = self.enter("late", cursor=ALL - 20)
        self.store.holding_reads = True
        self.forward(late, late)
        self.release()
        self.assertEqual(len(seqs(screen)), 20)

    def test_leaves_while_waiting(self) -> None:
        """Whoever leaves before the page has come is shown nothing of it, and nothing is kept for it."""
        late, screen = self.enter("late", cursor=0)
        self.store.holding_reads = True
        self.forward(late)
        self.leave(late)
        self.release()
        self.assertEqual((screen.shown, screen.told, self.budget.used_bytes), ([], [], 0))
        self.assertFalse(late.is_fetching)

    def test_in_and_out(self) -> None:
        """Whoever enters far back and leaves again and again makes neither the store nor others wait."""
        self.store.holding_reads = True
        for cursor in range(100):
            member, _ = self.enter("restless", cursor=cursor)
            self.forward(member)
            self.leave(member)
        late, screen = self.enter("late", cursor=ALL - 20)
        self.forward(late)
        self.assertLessEqual(self.store.waiting, MAX_READS)
        self.release()
        self.assertEqual(len(seqs(screen)), 20)
        self.assertLessEqual(self.store.reads, MAX_READS + 1)

    def test_many_places(self) -> None:
        """Members who stand at more places than are read at once are all brought forward."""
        screens = [self.enter(f"p{cursor}", cursor=cursor)[1] for cursor in range(3 * MAX_READS)]
        self.store.holding_reads = True
        self.forward(*self.room.audience.members)
        while self.store.waiting:
            self.store.release()
        self.assertEqual([len(seqs(screen)) for screen in screens], [ALL - cursor for cursor in range(3 * MAX_READS)])

    def test_cursor_set_while_waiting(self) -> None:
        """Whoever sets its cursor before the page has come is shown from there, each event once."""
        for cursor in (ALL - 5, 3):
            self.room = self.make_room(seq=ALL)
            late, screen = self.enter("late", cursor=ALL - 300)
            self.store.holding_reads = True
            self.forward(late)
            late.cursor = cursor
            self.forward(late)
            self.release()
            self.assertEqual(seqs(screen), list(range(cursor + 1, ALL + 1)))

    def test_beyond_what_was_taken_in(self) -> None:
        """Events that the room has not come to are not shown yet: another node's, or a batch that is on its way."""
        late, screen = self.enter("late", cursor=ALL - 2)
        self.store.fill([draft("lobby", Kind.SAY, "far", "away")])
        self.forward(late)
        self.assertEqual((seqs(screen), late.cursor), ([ALL - 1, ALL], ALL))
        self.say(events(ALL + 1, ALL + 1))
        self.assertEqual(seqs(screen), [ALL - 1, ALL, ALL + 1])


class NothingLeftTests(CatchUpTestCase):
    def test_empty_page(self) -> None:
        """Where the log has lost its end, a page that comes back empty is the end: it is not asked for again."""
        self.store.last = ALL - 10
        late, screen = self.enter("late", cursor=ALL - 20)
        self.forward(late)
        self.assertEqual((seqs(screen)[-1], late.cursor, screen.told), (ALL - 10, ALL, ["caught up in lobby"]))
        self.assertEqual((self.store.reads, self.clock.getDelayedCalls()), (2, []))
        self.say(events(ALL + 1, ALL + 1))
        self.assertEqual(seqs(screen)[-1], ALL + 1)


class FaultTests(CatchUpTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.late, self.screen = self.enter("late", cursor=ALL - 20)
        self.store.fault = StoreError("The disk is on fire.")

    def test_tried_again(self) -> None:
        """A page that can't be read is asked for again, once for all who wait, and then nothing is missing."""
        second, _ = self.enter("second", cursor=ALL - 20)
        self.store.holding_reads = True
        self.forward(self.late, second)
        self.release()
        self.clock.pump([RETRY_SECONDS] * 3)
        self.assertEqual((self.store.reads, self.screen.shown), (4, []))
        self.store.fault = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(len(seqs(self.screen)), 20)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_told(self) -> None:
        """Whoever waits for it is told so, once, and caught up when it can be read."""
        self.forward(self.late)
        self.clock.pump([RETRY_SECONDS] * 3)
        self.assertEqual(self.screen.told, ["lobby can't be read"])
        self.store.fault = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.screen.told, ["lobby can't be read", "caught up in lobby"])

    def test_damaged(self) -> None:
        """What is damaged for good is left out: its readers are told, ask no more, and are shown what comes."""
        self.store.fault = DamagedError("A page of the file is damaged.")
        self.forward(self.late)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.late.cursor, self.late.is_fetching, self.store.reads), (ALL, False, 1))
        self.assertEqual(self.screen.told, ["lobby can't be read, ever", "caught up in lobby"])

    def test_gone_meanwhile(self) -> None:
        """For somebody who has left it is not tried for ever."""
        self.forward(self.late)
        self.leave(self.late)
        self.clock.pump([RETRY_SECONDS] * 3)
        self.assertEqual((self.clock.getDelayedCalls(), self.late.is_fetching), ([], False))
        self.assertLessEqual(self.store.reads, 2)

    def test_lost_and_back(self) -> None:
        """Whoever lost the connection meanwhile and took the room up again is brought forward from there."""
        self.forward(self.late)
        self.late.outlet, self.late.cursor = None, GONE
        self.clock.advance(RETRY_SECONDS)
        self.store.fault = None
        again = Screen()
        self.late.outlet, self.late.cursor = again, ALL - 3
        self.forward(self.late)
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual((seqs(again), self.screen.shown), ([ALL - 2, ALL - 1, ALL], []))

    def test_fault_of_the_stores_own(self) -> None:
        """A store that fails in an unforeseen way is logged, asked again, and keeps nobody behind for good."""
        self.store.fault, self.store.raises = None, ZeroDivisionError()
        self.forward(self.late)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.store.raises = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(len(seqs(self.screen)), 20)

    def test_broken_outlet(self) -> None:
        """A reader that raises at a page keeps it from nobody who waits behind it."""
        self.store.fault = None
        broken, broken_screen = self.enter("broken", cursor=ALL - 20)
        broken_screen.broken = True
        self.store.holding_reads = True
        self.forward(broken, self.late)
        self.release()
        self.assertEqual((len(seqs(self.screen)), broken_screen.told), (20, ["fault"]))
