from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import HeldStore, Reactor
from twistedchat.events import Draft, Event, Kind
from twistedchat.fanout import Fanout
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.pipeline import LONGEST_PAUSE_SECONDS, MAX_BATCH, MAX_WAITING, Pipeline
from twistedchat.room import Member, Room
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from twistedchat.errors import ChatError
    from twistedchat.formats.base import Page


class Speaker:
    """Somebody in a room: takes receipts, and is shown what is said."""

    full = False

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.pages = 0
        self.again: list[object] = []

    def stored(self, tag: object, event: Event, *, again: bool) -> None:
        self.heard.append(f"stored {tag} as {event.seq}")
        if again:
            self.again.append(tag)

    def refused(self, tag: object, error: ChatError) -> None:
        self.heard.append(f"refused {tag}: {error.code}")

    def show(self, page: Page) -> bool:
        self.pages += 1
        self.heard += [f"shown {number}" for number in range(page.data.count(b"\n"))]
        return True

    def show_presence(self, data: bytes) -> bool:
        return bool(data)

    def caught_up(self, room: Room) -> None:
        """Nothing waits for it."""


class BrokenSpeaker(Speaker):
    @override
    def stored(self, tag: object, event: Event, *, again: bool) -> None:
        raise ZeroDivisionError

    @override
    def refused(self, tag: object, error: ChatError) -> None:
        raise ZeroDivisionError

    @override
    def show(self, page: Page) -> bool:
        raise ZeroDivisionError


class PipelineTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.store = HeldStore(self.clock.seconds)
        self.before: list[Room] = []
        self.pipeline = Pipeline(self.store, self.clock, Fanout(self.clock), self.before.append)
        self.pipeline.open()
        self.room, self.ann = Room("lobby"), Speaker()
        self.join(self.room, self.ann)

    def join(self, room: Room, speaker: Speaker) -> None:
        room.add(Member("ann", speaker, JsonFormat(), room.seq))

    def say(self, *texts: str, room: Room | None = None, who: Speaker | None = None, key: str | None = None) -> None:
        room = room or self.room
        for text in texts:
            self.pipeline.submit(room, Draft(room.name, Kind.SAY, "ann", text, key), who or self.ann, text)

    def log(self, room: str = "lobby") -> list[str]:
        return [event.text for event in self.store.log.get(room, [])]


class StoringTests(PipelineTestCase):
    def test_shown_after_stored(self) -> None:
        """Nothing is acknowledged or shown before the store has it; then the receipt comes first."""
        self.store.holding = True
        self.say("a")
        self.clock.advance(0)
        self.assertEqual((self.store.waiting, self.ann.heard), (1, []))
        self.store.release()
        self.assertEqual(self.ann.heard, ["stored a as 1", "shown 0"])

    def test_one_turn_is_one_batch(self) -> None:
        """What is said in one turn of the reactor is one commit, and one page."""
        self.say("a", "b", "c")
        self.clock.advance(0)
        self.assertEqual((self.log(), self.ann.pages), (["a", "b", "c"], 1))

    def test_gathers_while_committing(self) -> None:
        """While a commit is under way what arrives waits, and is the next batch, in the order of arrival."""
        self.store.holding = True
        self.say("a")
        self.clock.advance(0)
        self.say("b")
        self.clock.advance(0)
        self.say("c")
        self.store.release()
        self.clock.advance(1)
        self.assertEqual(self.store.waiting, 1)
        self.store.release()
        self.assertEqual((self.log(), self.ann.pages), (["a", "b", "c"], 2))

    def test_large_backlog_is_cut(self) -> None:
        """No commit is larger than the limit, and the order stays."""
        texts = [str(number) for number in range(MAX_BATCH + 10)]
        self.say(*texts)
        self.clock.pump([0, 1])
        self.assertEqual((self.log(), self.ann.pages), (texts, 2))

    def test_rooms_share_a_commit(self) -> None:
        """Lines of several rooms are one commit, and each room is shown its own."""
        other, bob = Room("py"), Speaker()
        self.join(other, bob)
        self.say("a")
        self.say("x", room=other, who=bob)
        self.store.holding = True
        self.clock.advance(0)
        self.assertEqual(self.store.waiting, 1)
        self.store.release()
        self.assertEqual([self.ann.heard, bob.heard], [["stored a as 1", "shown 0"], ["stored x as 1", "shown 0"]])

    def test_key_that_stands(self) -> None:
        """A line whose key stands is acknowledged with the event that stands, and not shown again."""
        self.say("a", key="k")
        self.clock.advance(0)
        self.say("a2", "a3", key="k")
        self.clock.advance(0)
        self.assertEqual(self.ann.heard, ["stored a as 1", "shown 0", "stored a2 as 1", "stored a3 as 1"])
        self.assertEqual(self.ann.again, ["a2", "a3"])

    def test_same_key_in_one_batch(self) -> None:
        """Two lines with one key in one batch: the first stands, the second is told so."""
        self.say("a", "b", key="k")
        self.clock.advance(0)
        self.assertEqual(self.ann.heard, ["stored a as 1", "stored b as 1", "shown 0"])
        self.assertEqual(self.ann.again, ["b"])

    def test_presence_comes_first(self) -> None:
        """Before a room is shown something, whoever keeps presence is asked; not for a line that stood."""
        self.say("a", key="k")
        self.clock.advance(0)
        self.say("a", key="k")
        self.clock.advance(0)
        self.assertEqual(self.before, [self.room])


class PacingTests(PipelineTestCase):
    def test_busy_room_waits(self) -> None:
        """After a batch of several lines the next waits a little, as the showing cost, and never long."""
        self.clock.look_seconds = 0.003
        self.say("a", "b")
        self.clock.advance(0)
        self.say("c")
        self.clock.look_seconds = 0
        self.clock.advance(0)
        self.assertEqual(self.log(), ["a", "b"])
        self.clock.advance(LONGEST_PAUSE_SECONDS)
        self.assertEqual(self.log(), ["a", "b", "c"])

    def test_lone_line_waits_for_nobody(self) -> None:
        """A line after a lone line is stored at once."""
        self.clock.look_seconds = 0.003
        self.say("a")
        self.clock.advance(0)
        self.clock.look_seconds = 0
        self.say("b")
        self.clock.advance(0)
        self.assertEqual(self.log(), ["a", "b"])

    def test_another_room_does_not_wait(self) -> None:
        """A quiet room's line is stored while a busy room waits."""
        self.clock.look_seconds = 0.003
        self.say("a", "b")
        self.clock.advance(0)
        self.clock.look_seconds = 0
        self.say("c")
        self.say("x", room=Room("py"))
        self.clock.advance(0)
        self.assertEqual((self.log(), self.log("py")), (["a", "b"], ["x"]))


class LoadTests(PipelineTestCase):
    def test_full(self) -> None:
        """It is full at the limit, and calls back once when half of it is stored."""
        called: list[bool] = []
        self.say(*map(str, range(MAX_WAITING)))
        self.assertTrue(self.pipeline.full)
        self.pipeline.when_drained(lambda: called.append(self.pipeline.full))
        self.clock.pump([0, 1, 1])
        self.assertEqual(called, [False])

    def test_not_open(self) -> None:
        """Until the store is open nobody is to bring lines."""
        pipeline = Pipeline(self.store, self.clock, Fanout(self.clock), self.before.append)
        called: list[bool] = []
        pipeline.when_drained(lambda: called.append(pipeline.full))
        self.assertTrue(pipeline.full)
        pipeline.open()
        self.assertEqual(called, [False])

    def test_settled(self) -> None:
        """It is settled when all that was submitted has been stored and shown, and at once if nothing was."""
        now_settled = self.pipeline.settled()
        self.assertIsNone(self.successResultOf(now_settled))
        self.store.holding = True
        self.say("a")
        settled = self.pipeline.settled()
        self.clock.advance(0)
        self.assertNoResult(settled)
        self.store.release()
        self.successResultOf(settled)
        self.assertEqual(self.ann.heard[-1], "shown 0")

    def test_showing_is_not_settled(self) -> None:
        """While a batch is still being shown it is not settled, and lines of the room are on their way."""
        seen: list[tuple[bool, bool]] = []

        class Witness(Speaker):
            @override
            def show(_, page: Page) -> bool:  # noqa: N805  the test is self
                seen.append((settled.called, self.pipeline.has(self.room)))
                return super().show(page)

        for _ in range(200):
            self.join(self.room, Witness())
        self.say("a")
        settled = self.pipeline.settled()
        self.clock.look_seconds = 0.003
        self.clock.advance(0)
        self.assertEqual((seen, settled.called), ([(False, True)] * 200, True))


class FaultTests(PipelineTestCase):
    def test_refused(self) -> None:
        """What can't be stored is not shown; its senders are told; the operator once; then it goes on."""
        self.store.fault = StoreError("the disk is full.")
        self.say("a")
        self.clock.advance(0)
        self.say("b")
        self.clock.advance(0)
        self.store.fault = None
        self.say("c")
        self.clock.advance(0)
        self.assertEqual(self.ann.heard, ["refused a: not-stored", "refused b: not-stored", "stored c as 1", "shown 0"])

    def test_store_with_a_fault_of_its_own(self) -> None:
        """A store that fails in an unforeseen way is logged, and is no other matter."""

        class Broken(HeldStore):
            @override
            async def append(self, batch: object) -> list[Event]:
                raise ZeroDivisionError

        pipeline = Pipeline(Broken(self.clock.seconds), self.clock, Fanout(self.clock), self.before.append)
        pipeline.submit(self.room, Draft("lobby", Kind.SAY, "ann", "a"), self.ann, "a")
        self.clock.advance(0)
        self.assertEqual(self.ann.heard, ["refused a: not-stored"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_broken_speaker(self) -> None:
        """A receipt or a screen that fails is logged, and neither the others nor later lines are held up."""
        broken = BrokenSpeaker()
        other = Room("py")
        self.join(other, broken)
        self.say("x", room=other, who=broken)
        self.say("a")
        self.clock.advance(0)
        self.store.fault = StoreError("the disk is full.")
        self.say("y", room=other, who=broken)
        self.clock.advance(0)
        self.store.fault = None
        self.say("z", room=other)
        self.clock.advance(0)
        self.assertEqual(self.ann.heard, ["stored a as 1", "shown 0", "stored z as 2"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)
        self.assertIsNone(self.successResultOf(self.pipeline.settled()))
