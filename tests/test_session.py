from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.ear import Ear
from tests.fakes import HeldStore, Reactor, now
from twistedchat.comeback import resume
from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES, Event, Kind
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.formats.plain import PlainFormat
from twistedchat.hub import Hub
from twistedchat.onlooker import EXCERPT_BYTES
from twistedchat.records import Excerpt, Joined, RoomEntry, Roster
from twistedchat.rules import MAX_ROOMS
from twistedchat.session import Session
from twistedchat.speaker import MAX_KEY_LENGTH
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

FORMAT = JsonFormat()
NOBODY = "There are no accounts here yet; nobody was shown that."


class SessionTestCase(SynchronousTestCase):
    """Ann has a name, and is in no room; in #old something was said earlier."""

    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.store = self.make_store()
        self.store.fill([draft("old", Kind.SAY, "zoe", f"{number}") for number in range(30)])
        self.hub = Hub(self.store, self.clock, wall=self.clock.seconds)
        now(self.hub.open())
        self.ear = Ear()
        self.ann = self.enter("ann", self.ear, resumable=True)

    def make_store(self) -> HeldStore:
        return HeldStore(self.clock.seconds)

    def enter(self, name: str, ear: Ear | None = None, *, resumable: bool = False) -> Session:
        session = Session(self.hub, ear or Ear())
        now(session.enter(name, resumable=resumable))
        return session

    def join(self, session: Session, room: str, after: int | None = None) -> Joined:
        joined = now(session.join(room, FORMAT, after=after))
        session.show_all()
        return joined

    def refusal(self, ask: Coroutine[Any, Any, object] | Callable[[], object]) -> str:
        """The code of the error that a verb raises."""
        with self.assertRaises(ChatError) as caught:
            if callable(ask):
                ask()
            else:
                now(ask)
        return str(caught.exception.code)

    def say(self, text: str, *, kind: Kind = Kind.SAY, key: str | None = None) -> None:
        self.ann.say("lobby", text, self.ear, text[:9], kind=kind, key=key)
        self.clock.advance(0)


class NameTests(SessionTestCase):
    def test_taken(self) -> None:
        """A name that is taken, or looks like one, is refused, and so is what is no name; then another is taken."""
        bob = Session(self.hub, Ear())
        codes = [self.refusal(bob.enter(name)) for name in ("ann", "ANN", "аnn", "", "a b")]
        self.assertEqual(codes, ["name-taken", "name-taken", "name-taken", "bad-name", "bad-name"])
        now(bob.enter(" bob "))
        self.assertEqual((bob.name, now(self.hub.people.find("b0b")), bob.token), ("bob", bob, ""))

    def test_reserved(self) -> None:
        """A service's name, or the server's, is nobody's, nor what looks like one; what is said to one goes nowhere."""
        self.hub.chosen = self.hub.chosen._replace(server="chat.example")
        bob = Session(self.hub, Ear())
        for name in ("NickServ", "nickserv", "NісkServ", "N1CKSERV", "Globa1", "chat.example", "CHAT.EXAMP1E"):
            self.assertEqual(self.refusal(bob.enter(name)), "bad-name", name)
            self.assertEqual(self.refusal(self.ann.rename(name)), "bad-name", name)
            with self.assertRaises(ChatError) as caught:
                now(self.ann.tell(name, "identify secret"))
            self.assertEqual((caught.exception.code, caught.exception.text), ("not-here", NOBODY))
        now(bob.enter("irc.chatroom"))

    def test_rename(self) -> None:
        """A new name counts everywhere, the old one is free; a refused one changes nothing."""
        self.join(self.ann, "lobby")
        self.enter("bob")
        self.assertEqual([self.refusal(self.ann.rename(name)) for name in ("bob", "")], ["name-taken", "bad-name"])
        now(self.ann.rename("amy"))
        self.assertEqual((self.ann.name, list(self.ann.roster("lobby").names)), ("amy", ["amy"]))
        self.enter("ann")

    def test_closed(self) -> None:
        """Who leaves gives back the name, the rooms and the token; leaving again does nothing."""
        self.join(self.ann, "lobby")
        token = self.ann.token
        self.ann.close("bye")
        self.ann.close()
        self.assertEqual((list(self.hub.rooms), now(resume(self.hub, token, Ear(), JsonFormat()))), ([], None))
        self.enter("ann")

    def test_parting_word(self) -> None:
        """However long a parting word is, the others are shown its beginning."""
        ear = Ear()
        bob = self.enter("bob", ear)
        now(bob.join("den", PlainFormat()))
        for part in (lambda: self.ann.leave("den", "x" * 30_000), lambda: self.ann.close("x" * 30_000)):
            self.join(self.ann, "den")
            self.clock.advance(1)
            part()
            self.clock.advance(1)
            self.assertIn("ann left", ear.heard[-1])
            self.assertEqual(ear.heard[-1].count("x"), 200)

    def test_without_a_name(self) -> None:
        """Before it has a name a session may do nothing."""
        nobody = Session(self.hub, Ear())
        for ask in (
            nobody.rename("bob"),
            nobody.join("lobby", FORMAT),
            nobody.who("old"),
            nobody.history("old", limit=1),
            nobody.list_rooms(max_chars=1),
            nobody.busiest_rooms(limit=1),
            nobody.seq_at("old", 0),
            nobody.tell("ann", "x"),
            lambda: nobody.leave("old"),
            lambda: nobody.topic("old"),
            lambda: nobody.say("old", "x", Ear()),
            lambda: nobody.rewind("old", 0),
        ):
            self.assertEqual(self.refusal(ask), "no-name")
        self.assertEqual(list(self.hub.rooms), [])


class RoomsTests(SessionTestCase):
    def test_rooms_it_is_in(self) -> None:
        """A room is found by any spelling that counts as its name, only while one is in it."""
        self.assertEqual(self.join(self.ann, "#Lobby").room, "Lobby")
        self.assertEqual((self.ann.find("l0bby"), list(self.ann.rooms)), ("Lobby", ["Lobby"]))
        self.assertEqual(self.ann.leave("LOBBY"), "Lobby")
        self.assertIsNone(self.ann.find("lobby"))
        self.assertEqual(self.refusal(lambda: self.ann.leave("lobby")), "not-in-room")
        self.assertEqual(self.refusal(self.ann.who("nowhere")), "no-such-room")
        self.assertEqual(self.refusal(self.ann.join("a b", FORMAT)), "bad-room")
        self.assertEqual(list(self.hub.rooms), [])

    def test_joined(self) -> None:
        """Whoever enters is told where the room stands, what it is about and who is in it."""
        self.join(self.enter("bob"), "lobby")
        self.join(self.ann, "lobby")
        self.say("tea", kind=Kind.TOPIC)
        joined = self.join(self.ann, "LOBBY")
        self.assertEqual((joined.room, joined.seq, joined.topic, joined.count), ("lobby", 1, "tea", 2))
        self.assertEqual((list(joined.names), self.ann.topic("lobby")), (["ann", "bob"], "tea"))

    def test_too_many(self) -> None:
        """The number of rooms is limited; joining again one that it is in is not another."""
        for number in range(MAX_ROOMS):
            self.join(self.ann, f"room{number}")
        self.assertEqual(self.refusal(self.ann.join("more", FORMAT)), "too-many-rooms")
        self.assertEqual(self.join(self.ann, "ROOM1").room, "room1")
        self.assertEqual((len(list(self.hub.rooms)), self.hub.rooms.find("more")), (MAX_ROOMS, None))

    def test_after(self) -> None:
        """It begins after the seq that was asked for, or the last few; what is beyond the end counts as the end."""
        for after, first in ((None, 11), (3, 4), (0, 1), (30, 31), (99, 31)):
            self.ear.seqs.clear()
            joined = now(self.ann.join("old", FORMAT, after=after))
            self.assertEqual((joined.is_caught_up, self.ear.seqs), (first == 31, {}))
            self.ann.show_all()
            self.assertEqual(self.ear.seqs.get("old", []), list(range(first, 31)))

    def test_rewind(self) -> None:
        """The cursor can be set back, within the log, and never forward."""
        self.join(self.ann, "old", 30)
        for seq, shown in ((28, [29, 30]), (-5, list(range(1, 31))), (99, [])):
            self.ear.seqs.clear()
            self.ann.rewind("old", seq)
            self.ann.show_all()
            self.assertEqual(self.ear.seqs.get("old", []), shown)

    def test_shown_as(self) -> None:
        """A room can be shown in another way from then on, without a hole."""
        self.join(self.ann, "old", 29)
        self.ann.show_as("old", PlainFormat())
        self.ann.show_all()
        self.ann.say("old", "x", self.ear)
        self.clock.advance(0)
        self.assertEqual(self.ear.seqs, {"old": [30, 31]})

    def test_seen_all(self) -> None:
        """It has seen all when each of its rooms has been shown to the end."""
        self.join(self.ann, "lobby")
        self.ear.full = True
        self.say("hi")
        self.assertFalse(self.ann.has_seen_all)
        self.ear.full = False
        self.ann.show_all()
        self.assertTrue(self.ann.has_seen_all)

    def test_presence_when_drained(self) -> None:
        """Who came while the outlet was full is told as soon as it has room."""
        self.join(self.ann, "lobby")
        self.ear.full = True
        self.join(self.enter("bob"), "lobby")
        self.clock.advance(1)
        self.ear.full = False
        self.ann.show_all()
        self.assertIn('"joined":["bob"]', self.ear.heard[-1])

    def test_seq_at(self) -> None:
        """The place of a time in a log is found, at its ends and in its middle."""
        for number in range(10):
            self.store.fill([draft("clock", Kind.SAY, "zoe", str(number))])
            self.clock.advance(1)
        self.join(self.ann, "clock")
        first = self.store.log["clock"][0].at
        found = [now(self.ann.seq_at("clock", first + ms)) for ms in (-1, 0, 1, 4500, 100_000)]
        self.assertEqual(found, [0, 0, 1, 5, 10])
        self.assertEqual((self.refusal(self.ann.seq_at("old", 0)), self.ann.last_seq("clock")), ("not-in-room", 10))


class SayTests(SessionTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, "lobby")

    def test_said(self) -> None:
        """A line that is stored is acknowledged and shown, under any spelling of the room."""
        self.ann.say("#L0BBY", "hi", self.ear, 7)
        self.clock.advance(0)
        self.assertEqual(self.ear.heard, ["stored 7 as 1", "shown hi"])

    def test_limits(self) -> None:
        """The longest text is taken, counted in bytes; a longer one, an empty one and a bad key are not."""
        self.say("é" * (MAX_TEXT_BYTES // 2))
        self.say("", kind=Kind.TOPIC, key="k" * MAX_KEY_LENGTH)
        wrong = [("é" * (MAX_TEXT_BYTES // 2) + "x", None), ("", None), ("hi", ""), ("hi", "k" * (MAX_KEY_LENGTH + 1))]
        codes = [self.refusal(partial(self.say, text, key=key)) for text, key in wrong]
        self.assertEqual(codes, ["too-long", "empty-text", "bad-key", "bad-key"])
        self.assertEqual(self.refusal(lambda: self.ann.say("old", "x", self.ear)), "not-in-room")
        self.assertEqual(len(self.store.log["lobby"]), 2)


class TellTests(SessionTestCase):
    def test_told(self) -> None:
        """A private line reaches the one it is for, whose name comes back as it is spelled."""
        ear = Ear()
        self.enter("Bob", ear)
        self.assertEqual(now(self.ann.tell("b0b", "psst")), "Bob")
        self.assertEqual(ear.heard, [f"ann tells at {int(self.clock.rightNow * 1000)}: psst"])

    def test_not_told(self) -> None:
        """Why a private line did not arrive is said to its sender."""
        ear = Ear()
        bob = self.enter("bob", ear, resumable=True)
        wrong = [("carol", "x"), ("", "x"), ("bob", ""), ("bob", "x" * (MAX_TEXT_BYTES + 1))]
        codes = [self.refusal(self.ann.tell(to, text)) for to, text in wrong]
        ear.full = True
        codes.append(self.refusal(self.ann.tell("bob", "x")))
        bob.lose()
        codes.append(self.refusal(self.ann.tell("bob", "x")))
        self.assertEqual(codes, ["not-here", "bad-name", "empty-text", "too-long", "not-reading", "not-here"])


class ResumeTests(SessionTestCase):
    def test_lost_without_a_token(self) -> None:
        """A session that can't be resumed ends with its connection."""
        bob = self.enter("bob")
        self.join(bob, "lobby")
        bob.lose()
        self.join(self.enter("bob"), "lobby")

    def test_resumed(self) -> None:
        """It keeps name and rooms; nothing of a room is shown before it is joined again, from where it says."""
        self.join(self.ann, "lobby")
        self.join(bob := self.enter("bob"), "lobby")
        self.ann.lose()
        new = Ear()
        self.assertEqual(now(resume(self.hub, self.ann.token, new, JsonFormat())), (self.ann, None))
        bob.say("lobby", "hi", Ear())
        self.clock.advance(0)
        self.assertEqual((new.heard, list(self.ann.rooms)), ([], ["lobby"]))
        self.join(self.ann, "lobby", 0)
        self.assertEqual(new.seqs, {"lobby": [1]})

    def test_connection_not_known_to_be_lost(self) -> None:
        """Taking it up hands back the connection that it had."""
        self.assertEqual(now(resume(self.hub, self.ann.token, Ear(), JsonFormat())), (self.ann, self.ear))

    def test_unknown_token(self) -> None:
        """With a token that is nobody's there is nothing to take up."""
        self.assertIsNone(now(resume(self.hub, "nonsense", Ear(), JsonFormat())))


class RecordsTests(SessionTestCase):
    def is_record(self, value: object) -> bool:
        """Whether it is made of plain values and records only."""
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return type(value) in (Joined, Roster, RoomEntry, Excerpt) and all(
                self.is_record(getattr(value, field.name)) for field in dataclasses.fields(value)
            )
        if isinstance(value, Event):
            return True
        if isinstance(value, list | tuple):
            return all(map(self.is_record, value))
        return value is None or isinstance(value, str | int | bool)

    def test_what_leaves_the_gate(self) -> None:
        """Every verb gives back plain values; no room and no member of the core leaves the session."""
        self.join(self.enter("bob"), "lobby")
        for answer in (
            now(self.ann.join("lobby", FORMAT)),
            now(self.ann.who("lobby")),
            now(self.ann.who("old")),
            now(self.ann.history("old", limit=3)),
            now(self.ann.list_rooms(max_chars=99)),
            now(self.ann.busiest_rooms(limit=3)),
            now(self.ann.seq_at("lobby", 0)),
            now(self.ann.tell("bob", "x")),
            list(self.ann.rooms),
            self.ann.find("lobby"),
            self.ann.topic("lobby"),
            self.ann.roster("lobby"),
            self.ann.roster("nowhere"),
            self.ann.last_seq("lobby"),
            self.ann.leave("lobby"),
        ):
            self.assertTrue(self.is_record(answer), answer)

    def test_history(self) -> None:
        """A part of any room's log is given, at most so many events and so many bytes."""
        excerpt = now(self.ann.history("OLD", limit=3))
        self.assertEqual(
            (excerpt.room, excerpt.seq, [event.seq for event in excerpt.events]), ("old", 30, [28, 29, 30])
        )
        self.store.fill([draft("old", Kind.SAY, "zoe", "x" * 4000) for _ in range(100)])
        texts = [event.text for event in now(self.ann.history("old", after=30, limit=500)).events]
        self.assertTrue(0.9 * EXCERPT_BYTES < sum(map(len, texts)) <= EXCERPT_BYTES)

    def test_rooms(self) -> None:
        """Rooms are listed by name or by who is in them, with what is known of each."""
        self.join(self.ann, "quiet")
        self.join(self.ann, "busy")
        self.join(self.enter("bob"), "busy")
        by_name = [(room.name, room.count, room.seq, room.is_member) for room in now(self.ann.list_rooms(max_chars=99))]
        self.assertEqual(by_name, [("busy", 2, 0, True), ("old", 0, 30, False), ("quiet", 1, 0, True)])
        self.assertEqual([room.name for room in now(self.ann.list_rooms("busy", max_chars=99))], ["old", "quiet"])
        self.assertEqual([room.name for room in now(self.ann.busiest_rooms(limit=2))], ["busy", "quiet"])

    def test_not_readable(self) -> None:
        """A store that can't be read is told in a sentence that names no file."""
        self.store.fault = StoreError("/srv/chat.db is on fire.")
        with self.assertRaises(ChatError) as caught:
            now(self.ann.history("old", limit=3))
        self.assertEqual(caught.exception.code, "not-readable")
        self.assertNotIn("/srv", caught.exception.text)
