from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.drafts import draft
from tests.fakes import JsonPeer, PlainPeer, World
from twistedchat.doors.channel import Pace
from twistedchat.doors.port import Settings
from twistedchat.events import MAX_TEXT_BYTES, Kind
from twistedchat.stores.base import StoreError


class PlainTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.world = World(settings=Settings(title="the workshop", motd=("Be kind.",), pace=Pace(0, 1)))
        self.addCleanup(self.world.close)

    def connect(self, name: str = "", *, buffer_bytes: int = 10**6) -> PlainPeer:
        peer = PlainPeer(self.world, buffer_bytes=buffer_bytes)
        if name:
            peer.say(name)
        return peer

    def said(self) -> list[str]:
        return [event.text for event in self.world.held.log.get("lobby", [])]


class GreetingTests(PlainTestCase):
    def test_whole_lines(self) -> None:
        """Whoever connects is told where it is, and asked for a name, in whole lines that end in CR LF."""
        self.assertEqual(
            bytes(self.connect().received),
            b"Welcome to the workshop: nobody is here yet. /help lists the commands.\r\n"
            b"Be kind.\r\nWhat is your name?\r\n",
        )

    def test_who_is_here(self) -> None:
        """It is told who is in the lobby, if that is not a crowd."""
        greetings = []
        for number in range(52):
            greetings.append(self.connect().lines[0].partition(": ")[2].partition(". /")[0])
            self.connect(f"p{number:02}")
        self.assertEqual(greetings[1:3], ["1 person is here, p00", "2 people are here, p00 and p01"])
        self.assertEqual(greetings[51], "51 people are here")


class NameTests(PlainTestCase):
    def test_enters(self) -> None:
        """With a name one is in the lobby, and told who else is there."""
        self.assertEqual(self.connect("ann").lines[-1], "*** You are ann, in #lobby, and nobody else is here yet.")
        self.assertEqual(self.connect("bob").lines[-1], "*** You are bob, in #lobby with ann.")

    def test_refused(self) -> None:
        """A name that can't be taken is answered with why and what to do, and another can be given."""
        self.connect("ann")
        bob = self.connect()
        for name in ("ann", "Аnn", "a b", "\x1b[2J", "x" * 25, "..."):
            bob.say(name)
            self.assertRegex(bob.lines[-1], r"^\*\*\* [^\x1b]*(Choose|Use) ")
        bob.say("bob")
        self.assertEqual(bob.lines[-1], "*** You are bob, in #lobby with ann.")

    def test_commands_before_a_name(self) -> None:
        """Without a name one can ask for help and leave; anything else needs one first."""
        peer = self.connect()
        peer.say("", "   ", "/who", "/join py", "/ping", "/help quit")
        self.assertEqual(peer.lines[3:5], ["*** Give your name first: type it, and Enter."] * 2)
        self.assertEqual(peer.lines[5], "*** Pong.")
        peer.say("/quit")
        self.assertTrue(peer.over)

    def test_crowd(self) -> None:
        """In a large room the others are counted, not named."""
        for number in range(50):
            self.connect(f"p{number}")
        self.assertEqual(self.connect("ann").lines[-1], "*** You are ann, in #lobby with 50 others (/who names them).")


class RoomTests(PlainTestCase):
    def test_history(self) -> None:
        """The last 20 events come before the word that one is in, with the date before the first."""
        self.world.held.fill([draft("lobby", Kind.SAY, "ann", str(number)) for number in range(30)])
        again = World(reactor=self.world.reactor, store=self.world.store)
        self.addCleanup(again.close)
        bob = PlainPeer(again)
        bob.say("bob")
        self.assertEqual(bob.lines[2], "--- Sunday 22 November 2026 ---")
        self.assertEqual([line.rpartition(" ")[2] for line in bob.lines[3:-1]], [str(n) for n in range(10, 30)])
        self.assertEqual(bob.lines[-1], "*** You are bob, in #lobby, and nobody else is here yet.")

    def test_own_line(self) -> None:
        """One's own line comes back stamped, and only once it is stored; blank lines are not said."""
        ann = self.connect("ann")
        self.world.held.holding = True
        ann.say("hello", "", "  ")
        self.assertNotIn("hello", ann.lines[-1])
        self.world.held.release()
        self.world.run()
        self.assertRegex(ann.lines[-1], r"^\[\d\d:\d\d:\d\d\] ann: hello$")
        self.assertEqual(self.said(), ["hello"])

    def test_forgery(self) -> None:
        """Nothing that is said begins a line or moves a cursor, and the log keeps it as it was sent."""
        ann, bob = self.connect("ann"), self.connect("bob")
        text = "\x1b[2Ja\r[00:00:00] bob: b\x85*** c\u2028d\u202ee"
        ann.say(text)
        self.assertEqual(self.said(), [text])
        for line in ann.lines[-1:] + bob.lines[-1:]:
            self.assertTrue(line.partition("] ")[2].startswith("ann: ") and line.isprintable(), line)

    def test_date_once(self) -> None:
        """The date comes before the first event of each day, and not again."""
        ann = self.connect("ann")
        for _ in range(4):
            ann.say("hello")
            self.world.pass_seconds(43_200)
        dates = [line for line in ann.lines if line.startswith("---")]
        self.assertEqual(dates, ["--- Sunday 22 November 2026 ---", "--- Monday 23 November 2026 ---"])

    def test_longest_line(self) -> None:
        """The longest text is said; one byte more is refused with the limit."""
        ann = self.connect("ann")
        ann.say("x" * MAX_TEXT_BYTES, "x" * (MAX_TEXT_BYTES + 1))
        self.assertEqual(list(map(len, self.said())), [MAX_TEXT_BYTES])
        self.assertIn(f"at most {MAX_TEXT_BYTES} bytes", "".join(ann.lines[3:]))

    def test_not_stored(self) -> None:
        """Whoever said what can't be stored is told so, and can say it again."""
        ann = self.connect("ann")
        self.world.held.fault = StoreError("The disk is full.")
        ann.say("hello")
        self.assertEqual(
            ann.lines[-1], "*** Your line was not said, it can't be stored now: The disk is full. Try again later."
        )
        self.world.held.fault = None
        ann.say("hello")
        self.assertTrue(ann.lines[-1].endswith("ann: hello"))

    def test_waits_for_the_room(self) -> None:
        """What is typed right after entering a room is said there, after what was said before."""
        self.world.held.fill([draft("py", Kind.SAY, "ann", "old")])
        again = World(reactor=self.world.reactor, store=self.world.store)
        self.addCleanup(again.close)
        bob = PlainPeer(again)
        again.held.holding_reads = True
        bob.say("bob", "/join py", "new")
        self.assertNotIn("new", [event.text for event in again.held.log["py"]])
        again.held.holding_reads = False
        again.held.release()
        again.run()
        shown = [line.partition("] ")[2] or line for line in bob.lines[-3:]]
        self.assertEqual(shown, ["ann: old", "*** You are in #py, and nobody else is here yet.", "bob: new"])

    def test_entering_beside_a_busy_room(self) -> None:
        """Entering a room ends, though in another room something is always on its way."""
        self.world.held.fill([draft("py", Kind.SAY, "ann", "old")])
        again = World(reactor=self.world.reactor, store=self.world.store)
        self.addCleanup(again.close)
        bob, ann = PlainPeer(again), PlainPeer(again)
        bob.say("bob")
        ann.say("ann")
        again.held.holding_reads = True
        bob.say("/join py")
        again.held.holding_reads = False
        again.held.holding = True
        ann.say("noise")
        again.held.release()
        again.run()
        bob.say("/ping")
        self.assertEqual(bob.lines[-1], "*** Pong.")


class SlowReaderTests(PlainTestCase):
    def test_nothing_is_lost(self) -> None:
        """Whoever reads slowly gets every line, in order, once, and costs little memory."""
        ann, slow = self.connect("ann"), self.connect("slow", buffer_bytes=500)
        slow.stop_reading()
        for number in range(300):
            ann.say(f"line {number}")
        self.assertLess(slow.transport.held_bytes, 100_000)
        slow.read_again()
        self.assertEqual(
            [line.rpartition(" ")[2] for line in slow.lines if "ann: line" in line], [str(n) for n in range(300)]
        )

    def test_private_line(self) -> None:
        """A private line to somebody who does not read is refused to its sender."""
        ann, slow = self.connect("ann"), self.connect("slow", buffer_bytes=100)
        slow.stop_reading()
        ann.say("x" * 1000)
        ann.say("/msg slow hello")
        self.assertEqual(ann.lines[-1], "*** slow does not read at the moment: try again later.")

    def test_presence(self) -> None:
        """Who came and went meanwhile is told when it reads again."""
        ann, slow = self.connect("ann"), self.connect("slow", buffer_bytes=100)
        slow.stop_reading()
        ann.say("x" * 1000)
        self.connect("bob")
        self.world.pass_seconds(1)
        self.connect("carol")
        self.world.pass_seconds(1)
        slow.read_again()
        self.assertEqual(slow.lines[-1], "*** bob and carol are here now.")


class QuitTests(PlainTestCase):
    def test_quit(self) -> None:
        """Whoever quits is let go after all that was said, nothing later is said, and the others hear the word."""
        bob, ann = self.connect("bob"), self.connect("ann")
        ann.say("hello", "/quit see you", "too late")
        self.world.pass_seconds(1)
        self.assertTrue(ann.over and ann.lines[-1].endswith("ann: hello"))
        self.assertEqual((self.said(), bob.lines[-1]), (["hello"], "*** ann left: see you"))

    def test_beside_a_program(self) -> None:
        """People and programs are in one room."""
        bot, ann = JsonPeer(self.world), self.connect("ann")
        bot.ask("hello", name="bot")
        bot.ask("join", room="lobby")
        bot.ask("me", room="lobby", text="beeps")
        self.assertTrue(ann.lines[-1].endswith("* bot beeps"))
