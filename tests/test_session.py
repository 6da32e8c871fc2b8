from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import HeldStore, Reactor, now
from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Event, Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.hub import Hub
from twistedchat.room import GONE, Room
from twistedchat.session import MAX_ROOMS, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from twistedchat.formats.base import Page
    from twistedchat.hub import Person

FORMAT = JsonFormat()


class Ear:
    """A connection that hears everything, or nothing."""

    def __init__(self) -> None:
        self.full = False
        self.heard: list[str] = []

    def show(self, page: Page) -> bool:
        if not self.full:
            self.heard.append(page.data.decode())
        return not self.full

    def show_presence(self, data: bytes) -> bool:
        return not self.full

    def show_tell(self, sender: Person, text: str, at: int) -> bool:
        if not self.full:
            self.heard.append(f"{sender.name} tells at {at}: {text}")
        return not self.full

    def caught_up(self, room: Room) -> None:
        """Nothing waits for it."""

    def stored(self, tag: object, event: Event, *, again: bool) -> None:
        self.heard.append(f"stored {tag}: {event.text}{' again' if again else ''}")

    def refused(self, tag: object, error: ChatError) -> None:
        self.heard.append(f"refused {tag}: {error.code}")


class SessionTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.store = HeldStore(self.clock.seconds)
        self.hub = Hub(self.store, self.clock)
        now(self.hub.open())
        self.ear = Ear()
        self.ann = self.enter("ann", self.ear, resumable=True)

    def enter(self, name: str, ear: Ear | None = None, *, resumable: bool = False) -> Session:
        session = Session(self.hub, ear or Ear())
        session.enter(name, resumable=resumable)
        return session

    def refusal(self, verb: Callable[..., object], *args: object, **kwargs: object) -> str:
        """The code of the error that a verb raises."""
        return str(self.assertRaises(ChatError, verb, *args, **kwargs).code)

    def say(self, text: str, *, kind: Kind = Kind.SAY, key: str | None = None) -> None:
        self.ann.say(self.ann.room("lobby"), text, self.ear, kind=kind, key=key)
        self.clock.advance(0)


class NameTests(SessionTestCase):
    def test_taken(self) -> None:
        """A name that is taken, or looks like one, is refused, and so is what is no name; then another is taken."""
        bob = Session(self.hub, Ear())
        codes = [self.refusal(bob.enter, name) for name in ("ann", "ANN", "аnn", "", "a b")]
        self.assertEqual(codes, ["name-taken", "name-taken", "name-taken", "bad-name", "bad-name"])
        bob.enter("bob")
        self.assertIs(self.hub.people.find("bob"), bob)

    def test_rename(self) -> None:
        """A new name counts everywhere, the old one is free; a refused one changes nothing."""
        room = self.ann.join("lobby", FORMAT)
        self.enter("bob")
        self.assertEqual(self.refusal(self.ann.rename, "bob"), "name-taken")
        self.ann.rename("amy")
        self.assertEqual((self.ann.name, list(room.names)), ("amy", ["amy"]))
        self.enter("ann")

    def test_closed(self) -> None:
        """Who leaves gives back the name and the rooms; leaving again does nothing."""
        room = self.ann.join("lobby", FORMAT)
        self.say("hi")
        self.ann.close("bye")
        self.ann.close()
        self.assertEqual((room.count, self.hub.tokens), (0, {}))
        self.enter("ann")


class RoomsTests(SessionTestCase):
    def test_rooms_it_is_in(self) -> None:
        """A room is found by any spelling that counts as its name, only while one is in it."""
        room = self.ann.join("#Lobby", FORMAT)
        self.assertIs(self.ann.room("l0bby"), room)
        self.ann.leave("LOBBY")
        self.assertIsNone(self.ann.find("lobby"))
        self.assertEqual(self.refusal(self.ann.room, "lobby"), "not-in-room")
        self.assertEqual(self.refusal(self.ann.leave, "lobby"), "not-in-room")
        self.assertEqual(self.refusal(self.ann.known_room, "nowhere"), "no-such-room")
        self.assertEqual(self.refusal(self.ann.join, "a b", FORMAT), "bad-room")

    def test_too_many(self) -> None:
        """The number of rooms is limited; joining again one that it is in is not another."""
        for number in range(MAX_ROOMS):
            self.ann.join(f"room{number}", FORMAT)
        self.assertEqual(self.refusal(self.ann.join, "more", FORMAT), "too-many-rooms")
        self.ann.join("room1", FORMAT)
        self.assertIsNone(self.hub.find_room("more"))

    def test_after(self) -> None:
        """It begins after the seq that was asked for, or the last few; what is beyond the end counts as the end."""
        self.ann.join("lobby", FORMAT)
        for number in range(30):
            self.say(str(number))
        cursors = []
        for after in (None, 3, 0, 99):
            room = self.ann.join("lobby", FORMAT, after)
            cursors.append(self.ann.members[room].cursor)
        self.assertEqual(cursors, [10, 3, 0, 30])

    def test_seen_all(self) -> None:
        """It has seen all when each of its rooms has been shown to the end."""
        self.ann.join("lobby", FORMAT)
        self.ear.full = True
        self.say("hi")
        self.assertFalse(self.ann.has_seen_all)
        self.ear.full = False
        self.ann.show_all()
        self.assertTrue(self.ann.has_seen_all)


class SayTests(SessionTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.ann.join("lobby", FORMAT)

    def test_said(self) -> None:
        """A line that is stored is acknowledged."""
        self.say("hi")
        self.assertEqual(self.ear.heard[0], "stored None: hi")

    def test_limits(self) -> None:
        """The longest text is taken, counted in bytes; a longer one, an empty one and a bad key are not."""
        self.say("é" * (MAX_TEXT_BYTES // 2))
        self.say("", kind=Kind.TOPIC)
        self.assertEqual(self.refusal(self.say, "é" * (MAX_TEXT_BYTES // 2) + "x"), "too-long")
        self.assertEqual(self.refusal(self.say, ""), "empty-text")
        self.assertEqual(self.refusal(self.say, "hi", key=""), "bad-key")
        self.assertEqual(self.refusal(self.say, "hi", key="k" * 65), "bad-key")
        self.assertEqual(len(self.store.log["lobby"]), 2)


class TellTests(SessionTestCase):
    def test_told(self) -> None:
        """A private line reaches the one it is for, whose name comes back as it is spelled."""
        ear = Ear()
        self.enter("Bob", ear)
        self.assertEqual(self.ann.send("b0b", "psst"), "Bob")
        self.assertEqual(ear.heard, [f"ann tells at {int(self.clock.rightNow * 1000)}: psst"])

    def test_not_told(self) -> None:
        """Why a private line did not arrive is said to its sender."""
        ear = Ear()
        bob = self.enter("bob", ear, resumable=True)
        wrong = [("carol", "x"), ("", "x"), ("bob", ""), ("bob", "x" * (MAX_TEXT_BYTES + 1))]
        codes = [self.refusal(self.ann.send, to, text) for to, text in wrong]
        ear.full = True
        codes.append(self.refusal(self.ann.send, "bob", "x"))
        bob.lose()
        codes.append(self.refusal(self.ann.send, "bob", "x"))
        self.assertEqual(codes, ["not-here", "bad-name", "empty-text", "too-long", "not-reading", "not-here"])


class ResumeTests(SessionTestCase):
    def test_lost_without_a_token(self) -> None:
        """A session that can't be resumed ends with its connection."""
        bob = self.enter("bob")
        bob.join("lobby", FORMAT)
        bob.lose()
        self.enter("bob").join("lobby", FORMAT)

    def test_resumed(self) -> None:
        """It keeps name and rooms; nothing of a room is shown before it is joined again, from where it says."""
        room = self.ann.join("lobby", FORMAT)
        self.ann.lose()
        new = Ear()
        self.assertIsNone(self.ann.resume(new))
        self.say("hi")
        self.assertEqual((new.heard, self.ann.members[room].cursor), ([], GONE))
        self.ann.join("lobby", FORMAT, 0)
        self.ann.show_all()
        self.assertEqual(len(new.heard), 1)

    def test_connection_not_known_to_be_lost(self) -> None:
        """Taking it up hands back the connection that it had."""
        self.assertIs(self.ann.resume(Ear()), self.ear)
