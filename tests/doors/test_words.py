from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.ear import Ear
from tests.fakes import JsonPeer, PlainPeer, World, now
from twistedchat.doors.words import BOUND, MAX_SHOWN
from twistedchat.errors import ChatError
from twistedchat.session import Session
from twistedchat.verbs import VERBS, WORDS, find_word


class CommandsTestCase(SynchronousTestCase):
    """Ann is in the lobby; the times are in UTC."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.ann = self.enter("ann")

    def enter(self, name: str) -> PlainPeer:
        peer = PlainPeer(self.world)
        peer.say(name, "/set zone UTC")
        return peer

    def type(self, *lines: str, who: PlainPeer | None = None) -> list[str]:
        """What somebody sees after typing lines."""
        peer = who or self.ann
        before = len(peer.lines)
        peer.say(*lines)
        return peer.lines[before:]

    def program(self, name: str, *rooms: str) -> JsonPeer:
        peer = JsonPeer(self.world)
        peer.ask("hello", name=name)
        for room in rooms:
            peer.ask("join", room=room)
        return peer


class HelpTests(CommandsTestCase):
    def test_all(self) -> None:
        """Every command is listed with how to type it, and what to do to say a line that begins with /."""
        lines = self.type("/help")
        typed = [verb for verb in VERBS if verb.words]
        self.assertEqual(len(lines), len(typed) + 1)
        for verb, line in zip(typed, lines, strict=False):
            self.assertTrue(line.startswith(f"*** {verb.title} "), line)
        self.assertIn("//", lines[-1])
        self.assertLess(max(map(len, lines)), 80)

    def test_one(self) -> None:
        """One command is told about with its other names, by any of them, with or without /."""
        told = ["*** /leave [#ROOM]: leaves a room (also /part)"]
        self.assertEqual([self.type(f"/help {name}") for name in ("leave", "/PART")], [told, told])

    def test_unknown(self) -> None:
        """A word that is no command is told to its typer alone, harmlessly, and is not said."""
        for line in ("/hepl", "/help hepl", "/\x1b[2J", "/"):
            [told] = self.type(line)
            self.assertTrue(told.startswith("*** There is no command /") and told.isprintable(), told)
        self.assertEqual(self.world.held.log, {})

    def test_names_are_of_one_command(self) -> None:
        """No two commands have a name in common, and each is found by all of its names, in any case."""
        words = [word for verb in VERBS for word in verb.words]
        self.assertEqual(len(words), len(WORDS))
        for word in words:
            self.assertIs(find_word(word.upper()), WORDS[word])
        self.assertRaises(ChatError, find_word, "")

    def test_every_verb_is_bound(self) -> None:
        """What the table says can be typed, does something here, and nothing else does."""
        self.assertEqual(set(BOUND), {verb.name for verb in VERBS if verb.words})

    def test_need_something(self) -> None:
        """A command that lacks what it needs says what to give, and does nothing."""
        for line in ("/nick", "/join", "/msg", "/msg bob", "/me", "/say", "/unignore"):
            [told] = self.type(line)
            self.assertRegex(told, rf"^\*\*\* Give .*{line.split()[0]}")
        self.assertEqual(self.world.held.log, {})


class SayingTests(CommandsTestCase):
    def test_said(self) -> None:
        """Actions, lines that begin with /, and spaces in front come as they were meant."""
        for typed, shown in [
            ("/me waves", "* ann waves"),
            ("//me waves", "ann: /me waves"),
            ("/say /me waves", "ann: /me waves"),
            ("   indented", "ann:    indented"),
        ]:
            self.assertTrue(self.type(typed)[-1].endswith(f"] {shown}"))

    def test_topic(self) -> None:
        """A topic is set, shown, told to whoever enters, and cleared."""
        self.assertIn("has no topic", self.type("/topic")[0])
        self.assertTrue(self.type("/topic all about tea")[-1].endswith("* ann set the topic: all about tea"))
        self.assertEqual(self.type("/topic"), ["*** The topic of #lobby is: all about tea"])
        self.assertEqual(self.enter("bob").lines[-2], "*** The topic is: all about tea")
        self.assertEqual(self.type("/join lobby")[-1], "*** The topic is: all about tea")
        self.assertTrue(self.type("/topic -")[-1].endswith("* ann cleared the topic"))

    def test_nick(self) -> None:
        """A new name is told to oneself once, and to the others."""
        bob = self.enter("bob")
        self.world.pass_seconds(1)
        self.assertEqual(self.type("/nick amy"), ["*** You were ann and are amy now."])
        self.world.pass_seconds(1)
        self.assertEqual(bob.lines[-1], "*** ann is now called amy.")
        self.assertEqual(self.ann.lines[-1], "*** You were ann and are amy now.")
        self.assertIn("taken", self.type("/nick BOB")[0])

    def test_ping(self) -> None:
        """It is answered."""
        self.assertEqual(self.type("/ping"), ["*** Pong."])


class RoomsTests(CommandsTestCase):
    def test_join(self) -> None:
        """One talks in the room entered last; what is said in the others says where."""
        self.assertEqual(self.type("/join #py"), ["*** You are in #py, and nobody else is here yet."])
        self.type("hello")
        self.assertEqual([event.text for event in self.world.held.log["py"]], ["hello"])
        self.enter("bob").say("hi all")
        self.assertTrue(self.ann.lines[-1].endswith("#lobby bob: hi all"))
        self.assertEqual(self.type("/join lobby")[0], "*** You are in #lobby with bob.")

    def test_leave(self) -> None:
        """Whoever leaves talks in the room entered before, if there is one; else is told what to do."""
        self.type("/join py")
        self.assertEqual(self.type("/leave"), ["*** You left #py.", "*** You talk in #lobby now."])
        self.assertIn("/join", self.type("/leave")[-1])
        for line in ("hello?", "/leave", "/who", "/history", "/topic", "/since 1"):
            self.assertEqual(self.type(line), ["*** You are in no room: /join #room enters one, /rooms lists them."])
        self.assertIn("nothing to leave", self.type("/leave lobby")[0])

    def test_rooms(self) -> None:
        """The rooms are listed, the fullest first, with their topics."""
        self.program("bob", "lobby", "py").ask("topic", room="py", text="snakes")
        self.assertEqual(self.type("/rooms"), ["*** #lobby (2 people, you too)", "*** #py (1 person): snakes"])

    def test_many_rooms(self) -> None:
        """A long list is cut, and says so."""
        for number in range(3):
            self.program(f"p{number}", *[f"room{number}x{n}" for n in range(90)])
        lines = self.type("/rooms")
        self.assertEqual((len(lines), lines[-1]), (MAX_SHOWN + 1, "*** And more."))

    def test_who(self) -> None:
        """Who is in a room is told, of any room that exists."""
        self.enter("bob")
        self.program("carol", "py").ask("say", room="py", text="hi")
        self.assertEqual(self.type("/who"), ["*** ann and bob are in #lobby."])
        self.assertEqual(self.type("/who #py"), ["*** carol is in #py."])
        self.type("/join go", "hi", "/leave")
        self.assertEqual(self.type("/who go"), ["*** Nobody is in #go."])
        self.assertIn("There is no room #rust", self.type("/who rust")[0])


class PrivateTests(CommandsTestCase):
    def test_msg_and_reply(self) -> None:
        """A private line is shown to both, and answered without naming the other."""
        bob = self.enter("bob")
        self.assertEqual(self.type("/msg B0b  how are  you?"), ["*** You tell bob: how are  you?"])
        self.assertEqual(bob.lines[-1], "*** ann tells you: how are  you?")
        self.type("/reply fine", who=bob)
        self.assertEqual(self.ann.lines[-1], "*** bob tells you: fine")
        self.assertEqual(self.world.held.log, {})

    def test_somebody_who_is_away(self) -> None:
        """Whoever says something to somebody who is away is told so, and why."""
        bob = Session(self.world.hub, Ear())
        now(bob.enter("bob"))
        bob.set_profile(bob.profile._replace(away="asleep"))
        self.assertEqual(self.type("/msg bob hi"), ["*** You tell bob: hi", "*** bob is away: asleep"])
        bob.set_profile(bob.profile._replace(away=""))
        self.assertEqual(self.type("/msg bob hi"), ["*** You tell bob: hi"])

    def test_reply_follows_the_person(self) -> None:
        """An answer goes to whoever sent the line, under any name, and to nobody else who takes the name."""
        bob = self.enter("bob")
        self.type("/msg bob psst", "/nick amy")
        stranger = self.enter("ann")
        self.type("/reply yes?", who=bob)
        self.assertEqual(self.ann.lines[-1], "*** bob tells you: yes?")
        self.type("/quit")
        self.assertIn("has left", self.type("/reply gone?", who=bob)[0])
        self.assertFalse([line for line in stranger.lines if "tells you" in line])

    def test_nobody_to_reply_to(self) -> None:
        """Without a private line there is nobody to answer, and one is told what to do."""
        self.assertIn("/msg NAME TEXT", self.type("/reply hi")[0])

    def test_ignore(self) -> None:
        """Nothing of somebody ignored is shown, by any name that looks alike, until it is ended."""
        bob = self.enter("bob")
        self.type("hello")
        self.assertEqual(self.type("/ignore b0b"), ["*** You ignore b0b."])
        self.type("hi", "/msg ann psst", who=bob)
        self.assertFalse([line for line in self.ann.lines if "bob: " in line or "psst" in line])
        self.assertEqual(self.type("/ignore"), ["*** You ignore b0b."])
        self.assertEqual(self.type("/unignore bob"), ["*** You ignore bob no more."])
        self.type("hi again", who=bob)
        self.assertTrue(self.ann.lines[-1].endswith("bob: hi again"))
        self.assertEqual(sum(line.startswith("---") for line in self.ann.lines), 1)
        self.assertIn("You do not ignore bob", self.type("/unignore bob")[0])

    def test_too_many(self) -> None:
        """The list of the ignored has an end."""
        for number in range(MAX_SHOWN):
            self.type(f"/ignore p{number}x")
        self.assertIn("too many", self.type("/ignore bob")[0])


class LookingBackTests(CommandsTestCase):
    @override
    def setUp(self) -> None:
        super().setUp()
        for hour in range(5):
            self.ann.say(f"line {hour + 1}")
            self.world.pass_seconds(3600)

    def texts(self, lines: list[str]) -> list[str]:
        return [line.partition("ann: ")[2] for line in lines if "ann: " in line]

    def test_history(self) -> None:
        """The last events, or those before one, with what to type for the ones before them."""
        lines = self.type("/history 2")
        self.assertEqual(self.texts(lines), ["line 4", "line 5"])
        self.assertEqual((lines[0], lines[-1]), (
            "*** From 4 to 5 of 5 in #lobby:", "*** /history before 4 shows what was said earlier."
        ))  # fmt: skip
        self.assertEqual(self.texts(self.type("/history before 3")), ["line 1", "line 2"])
        self.assertEqual(self.texts(self.type("/history 1 before 3")), ["line 2"])
        self.assertEqual(self.type("/history before 1"), ["*** Nothing was said in #lobby before that."])
        self.assertEqual(self.type("/history")[-1], "*** That is all.")

    def test_since_seq(self) -> None:
        """Everything after a seq is shown again, and then what is said from now on."""
        lines = self.type("/since 3", "and now")
        self.assertEqual(self.texts(lines), ["line 4", "line 5", "and now"])
        self.assertIn("the last was 6", self.type("/since 6")[0])

    def test_since_time(self) -> None:
        """Everything since a time of day is shown again; one that is still to come was yesterday's."""
        self.assertEqual(self.texts(self.type("/since 10:30")), ["line 3", "line 4", "line 5"])
        self.assertEqual(self.texts(self.type("/since 10:30:01")), ["line 4", "line 5"])
        self.assertEqual(self.texts(self.type("/since 14:00")), [f"line {n}" for n in range(1, 6)])
        self.assertIn("the last was 5", self.type("/since 13:00")[0])

    def test_not_understood(self) -> None:
        """What is no number and no time is refused with an example."""
        for line in ("/history x", "/history 0", "/history 1 2", "/since", "/since 25:00", "/since -1", "/since ²"):
            [told] = self.type(line)
            self.assertTrue(told.startswith("*** Give a ") and told.count("/") == 2, told)


class SetTests(CommandsTestCase):
    def test_shown(self) -> None:
        """What is set is told, also without changing anything."""
        self.assertEqual(self.type("/set"), ["*** Set: zone UTC, seq off, presence on, bell off."])
        self.assertEqual(self.type("/set SEQ On"), ["*** Set: zone UTC, seq on, presence on, bell off."])

    def test_seq_and_zone(self) -> None:
        """Lines are shown with their number and in the zone that was set."""
        self.type("/set seq on", "/set zone Asia/Tokyo")
        self.assertEqual(self.type("hi")[-1], "[17:30:00 1] ann: hi")

    def test_bell(self) -> None:
        """It rings when one's name is said, also after it has changed."""
        bob = self.enter("bob")
        self.type("/set bell on", "/nick amy")
        bob.say("hello Amy")
        self.assertTrue(self.ann.received.endswith(b"bob: hello Amy\a\r\n"))

    def test_presence(self) -> None:
        """Coming and going is no longer shown."""
        self.type("/set presence off")
        self.enter("bob")
        self.world.pass_seconds(1)
        self.assertNotIn("*** bob is here now.", self.ann.lines)

    def test_refused(self) -> None:
        """What can't be set is refused, harmlessly, and changes nothing."""
        for line in (
            "/set seq maybe",
            "/set zone",
            "/set colour on",
            "/set zone ../../etc/passwd",
            "/set zone \x1b[2J",
        ):
            [told] = self.type(line)
            self.assertRegex(told, r"^\*\*\* (Set seq|There is no zone)[^\x1b]*$")
        self.assertEqual(self.type("/set zone server")[0][:21], "*** Set: zone server,")
