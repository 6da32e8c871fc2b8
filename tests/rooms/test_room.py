from __future__ import annotations

from tests.rooms.cases import RoomTestCase, events
from twistedchat.events import Event, Kind
from twistedchat.rooms import listing
from twistedchat.stores.base import RoomSummary


class RoomTests(RoomTestCase):
    def test_topic(self) -> None:
        """The last topic event is the topic; an empty one clears it."""
        for seq, text in enumerate(("tea", "coffee", ""), 1):
            self.room.extend([Event("lobby", seq, 0, Kind.TOPIC, "ann", text)])
            self.assertEqual((self.room.topic, self.room.seq), (text, seq))

    def test_nobody_there(self) -> None:
        """What comes while nobody is there is counted and not kept."""
        self.room.extend(events(1, 3))
        self.assertEqual((self.room.seq, self.room.head, self.budget.used_bytes), (3, 3, 0))

    def test_idle(self) -> None:
        """It is idle when nobody is there or about to enter, and nothing is on its way."""
        self.assertTrue(self.room.is_idle)
        member, _ = self.enter("ann")
        self.assertFalse(self.room.is_idle)
        self.leave(member)
        self.room.entering += 1
        self.assertFalse(self.room.is_idle)
        self.room.entering -= 1
        self.room.queue.is_busy = True
        self.assertFalse(self.room.is_idle)


class ListingTests(RoomTestCase):
    def test_pages(self) -> None:
        """Asked page by page, each room of the store or of here comes once, by name, with what is true now."""
        stored = [RoomSummary(f"s{number}", number, 0, "") for number in range(1, 8)]
        live = [self.make_room("s3", seq=33), self.make_room("new"), self.make_room("t"), self.make_room("empty")]
        for self.room in live[:3]:
            self.enter("ann")
        names: list[str] = []
        last = ""
        while page := listing.by_name(live, [room for room in stored if room.name > last][:2], last, 2, {"t"}):
            names += [room.name for room in page]
            last = names[-1]
            self.assertTrue(all(room.is_member is (room.name == "t") for room in page))
        self.assertEqual(names, ["new", *(f"s{number}" for number in range(1, 8)), "t"])

    def test_busiest(self) -> None:
        """The rooms with the most people come first; one that nobody is in and that has no event does not come."""
        live = [self.make_room("quiet"), self.make_room("busy"), self.make_room("empty")]
        for self.room in (live[0], live[1], live[1]):
            self.enter("ann")
        found = listing.by_count(live, [RoomSummary("old", 7, 0, "tea"), RoomSummary("busy", 2, 0, "")], 3, ())
        self.assertEqual([(room.name, room.count) for room in found], [("busy", 2), ("quiet", 1), ("old", 0)])
