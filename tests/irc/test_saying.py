"""Saying something, at the IRC door: what becomes of it, what its sender is told, and what the others see."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import JsonPeer, PlainPeer, World
from tests.irc.client import IrcClient, come
from twistedchat.stores.base import StoreError

TAGS = ("batch", "echo-message", "labeled-response", "message-tags", "server-time")


class SayingCase(SynchronousTestCase):
    """A server; ann and bob are in #den, with no capability."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.ann = come(self.world, "ann", rooms=["den"])
        self.bob = come(self.world, "bob", rooms=["den"])
        self.settle()

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def settle(self) -> None:
        """Let everything be told, and read it."""
        self.world.pass_seconds(1)
        for client in (self.ann, self.bob):
            client.news()

    def said(self, client: IrcClient) -> list[str]:
        """What a client was shown since the last time, the sources without their hosts."""
        self.world.pass_seconds(0.1)
        return [_short(line) for line in client.news()]

    def come(self, name: str, *caps: str) -> IrcClient:
        """Somebody else in #den."""
        client = come(self.world, name, *caps, rooms=["den"])
        self.settle()
        return client


def _short(line: str) -> str:
    """A line without its tags, and the source without user and host."""
    if line[:1] == "@":
        line = line.partition(" ")[2]
    source, _, rest = line.partition(" ")
    return f"{source.partition('!')[0]} {rest}"


class RoomTests(SayingCase):
    def test_kinds(self) -> None:
        """Lines, actions and notices of a person, and topics, become what they are at every door."""
        self.ann.say(
            "PRIVMSG #den :hi there",
            "PRIVMSG #DEN :\x01ACTION waves\x01",
            "PRIVMSG #den :\x01ACTION is cut",
            "NOTICE #den :a bot's",
            "TOPIC #den :Tea",
        )
        expected = [
            ":ann PRIVMSG #den :hi there",
            ":ann PRIVMSG #den :\x01ACTION waves\x01",
            ":ann PRIVMSG #den :\x01ACTION is cut\x01",
            ":ann NOTICE #den :a bot's",
            ":ann TOPIC #den :Tea",
        ]
        self.assertEqual(self.said(self.bob), expected)
        kinds = [(event.kind, event.who, event.text) for event in self.world.held.log["den"]]
        self.assertEqual(
            kinds,
            [
                ("say", "ann", "hi there"),
                ("me", "ann", "waves"),
                ("me", "ann", "is cut"),
                ("notice", "ann", "a bot's"),
                ("topic", "ann", "Tea"),
            ],
        )

    def test_own_lines(self) -> None:
        """Without echo-message the own lines are left out, live and when catching up; with it they come back."""
        echo = self.come("eve", "echo-message")
        self.ann.say("PRIVMSG #den :one")
        echo.say("PRIVMSG #den :two")
        self.assertEqual(self.said(self.ann), [":eve PRIVMSG #den :two"])
        self.assertEqual(self.said(echo), [":ann PRIVMSG #den :one", ":eve PRIVMSG #den :two"])

    def test_own_lines_behind(self) -> None:
        """They are left out, too, of what is shown to somebody who was behind."""
        slow = come(self.world, "slow", rooms=["den"], buffer_bytes=2000)
        self.settle()
        slow.stop_reading()
        for number in range(40):
            self.bob.say(f"PRIVMSG #den :{number} {'x' * 90}")
        slow.write(b"PRIVMSG #den :mine\r\n")
        self.world.pass_seconds(1)
        slow.read_again()
        self.world.pass_seconds(1)
        shown = [line for line in self.said(slow) if "PRIVMSG" in line]
        self.assertEqual(shown, [f":bob PRIVMSG #den :{number} {'x' * 90}" for number in range(40)])
        self.assertIn(":slow PRIVMSG #den :mine", self.said(self.ann))

    def test_refusals(self) -> None:
        """What can't be said is answered by the number for it; a notice that fails is not."""
        lines = ["PRIVMSG", "PRIVMSG #den", "PRIVMSG #den :", "PRIVMSG #a,#b,#c,#d,#e :x", "PRIVMSG #other :x"]
        lines += ["PRIVMSG nobody :x", "PRIVMSG NickServ :identify secret", "PRIVMSG #den :\x01VERSION\x01"]
        self.ann.say(*lines)
        numbers = [line.split(" ")[1] for line in self.said(self.ann)]
        self.assertEqual(numbers, ["411", "412", "412", "407", "404", "401", "401", "404"])
        self.ann.say(*[line.replace("PRIVMSG", "NOTICE") for line in lines])
        self.assertEqual(self.said(self.ann), [])
        self.assertEqual(self.said(self.bob), [])
        self.assertEqual(self.world.held.log.get("den", []), [])

    def test_four_targets(self) -> None:
        """A line can go to four targets, rooms and persons."""
        self.ann.say("JOIN #two")
        self.bob.say("JOIN #two")
        self.settle()
        self.ann.say("PRIVMSG #den,#two,bob,ann :hi")
        expected = [":ann PRIVMSG #den :hi", ":ann PRIVMSG #two :hi", ":ann PRIVMSG bob :hi"]
        self.assertEqual(sorted(self.said(self.bob)), sorted(expected))

    def test_longest(self) -> None:
        """A text that fits the line as the others are shown it is said; one byte more is refused, and told."""
        space = 510 - len(
            f"{self.world.hub.people.source('ann', int(self.world.wall() * 1000))}: PRIVMSG #den :".encode()
        )
        self.ann.say(f"PRIVMSG #den :{'x' * space}", f"PRIVMSG #den :{'y' * (space + 1)}", f"NOTICE #den :{'z' * 480}")
        long, short = self.said(self.ann)
        self.assertEqual(long, f":irc.chatroom 417 ann :That line was too long, and was not said: {space} bytes fit.")
        self.assertIn(" 417 ", short)
        self.assertEqual(self.said(self.bob), [f":ann PRIVMSG #den :{'x' * space}"])

    def test_kept_spelling(self) -> None:
        """A room has one spelling; who asked for another one by more than ASCII case is told."""
        self.ann.say("JOIN #Ärger")
        self.settle()
        self.bob.say("JOIN #ärger", "JOIN #DEN")
        lines = self.said(self.bob)
        self.assertIn(" 470 bob #ärger #Ärger ", lines[0])
        self.assertEqual(lines[1], ":bob JOIN #Ärger")
        self.ann.say("JOIN #lobby")
        self.bob.say("JOIN #LOBBY")
        self.assertFalse([line for line in self.said(self.bob) if " 470 " in line])

    def test_last_words(self) -> None:
        """What is said before PART and QUIT is seen before them, and comes back before them."""
        eve = self.come("eve", *TAGS)
        eve.say("@label=1 PRIVMSG #den :bye", "PART #den :home", "PRIVMSG #den :too late", "QUIT :gone...")
        self.assertEqual(
            self.said(eve),
            [
                ":eve PRIVMSG #den :bye",
                ":eve PART #den :home",
                ":irc.chatroom 404 eve #den :You are not in #den: join it first.",
                "ERROR :Closing link: Quit: gone...",
            ],
        )
        self.assertIn(":eve PRIVMSG #den :bye", self.said(self.bob))


class PrivateTests(SayingCase):
    def test_persons(self) -> None:
        """A private line is shown to one alone; who is away says so."""
        self.bob.say("AWAY :at lunch")
        self.settle()
        self.ann.say("PRIVMSG BOB :psst", "NOTICE bob :psst")
        self.assertEqual(self.said(self.ann), [":irc.chatroom 301 ann bob :at lunch"])
        self.assertEqual(self.said(self.bob), [":ann PRIVMSG bob :psst", ":ann NOTICE bob :psst"])
        self.assertEqual(self.world.held.log.get("den", []), [])

    def test_ctcp(self) -> None:
        """A request of CTCP goes between two clients; somebody at another door sees nothing of it."""
        telnet, program = PlainPeer(self.world), JsonPeer(self.world)
        telnet.say("tom")
        program.ask("hello", name="pam")
        self.ann.say(
            *[f"PRIVMSG {name} :\x01VERSION\x01" for name in ("bob", "tom", "pam")], "PRIVMSG tom :\x01ACTION waves"
        )
        self.assertEqual(self.said(self.ann), [])
        self.assertEqual(self.said(self.bob), [":ann PRIVMSG bob :\x01VERSION\x01"])
        self.assertFalse(telnet.heard("VERSION"))
        self.assertTrue(telnet.heard("waves"))
        self.assertFalse([message for message in program.messages if message["type"] == "tell"])

    def test_echo(self) -> None:
        """With echo-message a private line comes back, with its label and an id."""
        eve = self.come("eve", *TAGS)
        eve.say("@label=x PRIVMSG bob :psst")
        self.assertRegex(eve.news()[-1], r"^@label=x;time=\S+;msgid=[0-9a-f]+/-/\w+ :eve!\S+ PRIVMSG bob :psst$")


class LabelTests(SayingCase):
    def test_echo(self) -> None:
        """The label is on the echo, and nobody else sees it."""
        eve, far = self.come("eve", *TAGS), self.come("far", *TAGS)
        far.news()
        eve.say("@label=7;+x=1;y=2 PRIVMSG #den :hi")
        self.world.pass_seconds(0.1)
        stamp = r"time=2026-\S+Z;msgid=inmemory/den/1;\+x=1 :eve!\S+ PRIVMSG #den :hi$"
        self.assertRegex(eve.news()[-1], rf"^@label=7;{stamp}")
        self.assertRegex(far.news()[-1], rf"^@{stamp}")

    def test_ack(self) -> None:
        """Without echo-message it is on an ACK, once the line is stored."""
        eve = self.come("eve", "labeled-response", "batch")
        self.world.held.holding = True
        eve.say("@label=7 PRIVMSG #den :hi")
        self.assertEqual(self.said(eve), [])
        self.world.held.holding = False
        self.world.held.release()
        self.world.pass_seconds(0.1)
        self.assertEqual(eve.news(), ["@label=7 :irc.chatroom ACK"])

    def test_error(self) -> None:
        """It is on the error, if there is one; also for a notice."""
        eve = self.come("eve", "labeled-response", "batch")
        eve.say("@label=7 NOTICE #other :hi")
        self.assertRegex(eve.news()[-1], "^@label=7 :irc.chatroom 404 eve #other ")

    def test_batch(self) -> None:
        """An answer of several lines is one batch, in order."""
        eve = self.come("eve", "labeled-response", "batch")
        eve.say("@label=j JOIN #two", "@label=p PONG x")
        lines = eve.news()
        self.assertEqual(lines[0], "@label=j :irc.chatroom BATCH +answer labeled-response")
        self.assertTrue(all(line.startswith("@batch=answer ") for line in lines[1:-2]))
        self.assertEqual(lines[-2:], [":irc.chatroom BATCH -answer", "@label=p :irc.chatroom ACK"])


class StoredTests(SayingCase):
    def test_not_stored(self) -> None:
        """A line that can't be stored is told to its sender alone."""
        eve = self.come("eve", "standard-replies", "labeled-response", "batch")
        self.world.held.fault = StoreError("disk full")
        self.ann.say("PRIVMSG #den :lost", "NOTICE #den :lost")
        eve.say("@label=1 PRIVMSG #den :lost")
        self.world.pass_seconds(0.1)
        lines = self.said(self.ann)
        self.assertEqual([line.split(" ")[1] for line in lines], ["404", "404"])
        self.assertRegex(eve.news()[-1], "^@label=1 :irc.chatroom FAIL PRIVMSG NOT_STORED #den :")
        self.assertEqual(self.said(self.bob), [])
        self.world.held.fault = None

    def test_barrier(self) -> None:
        """PING is answered when what was said before it is stored and shown, or after five seconds."""
        self.world.held.holding = True
        self.ann.say("PRIVMSG #den :slow", "PING x")
        self.world.pass_seconds(4.8)
        self.assertEqual(self.said(self.ann), [])
        self.world.pass_seconds(0.1)
        self.assertEqual(self.said(self.ann), [":irc.chatroom PONG irc.chatroom x"])
        self.ann.say("PING y")
        self.bob.say("PING z")
        self.world.held.holding = False
        self.world.held.release()
        self.assertEqual(self.said(self.ann), [":irc.chatroom PONG irc.chatroom y"])
        self.assertEqual(self.said(self.bob), [":ann PRIVMSG #den :slow", ":irc.chatroom PONG irc.chatroom z"])

    def test_waits(self) -> None:
        """Another command waits until the lines before it are stored."""
        self.world.held.holding = True
        self.ann.say("PRIVMSG #den :slow", "PART #den", "PRIVMSG bob :psst")
        self.world.pass_seconds(1)
        self.assertEqual(self.said(self.bob), [])
        self.world.held.holding = False
        self.world.held.release()
        self.assertEqual(self.said(self.bob)[0], ":ann PRIVMSG #den :slow")


class TagTests(SayingCase):
    def test_signals(self) -> None:
        """TAGMSG is shown to those who have message-tags, and to nobody later."""
        eve, far = self.come("eve", *TAGS), self.come("far", "message-tags")
        eve.news()
        far.news()
        eve.say("@+typing=active;label=1 TAGMSG #den", "@+typing=done TAGMSG far", "TAGMSG #den", "@+x TAGMSG bob")
        self.world.pass_seconds(0.1)
        own = [line for line in eve.news() if "TAGMSG" in line]
        self.assertEqual([_short(line) for line in own], [":eve TAGMSG #den", ":eve TAGMSG far", ":eve TAGMSG bob"])
        self.assertTrue(own[0].startswith("@label=1;time="))
        shown = far.news()
        self.assertEqual([_short(line) for line in shown], [":eve TAGMSG #den", ":eve TAGMSG far"])
        self.assertRegex(shown[0], r"^@time=\S+;msgid=\w+/-/\w+;\+typing=active ")
        self.assertEqual(self.said(self.bob), [])
        self.assertNotIn("den", self.world.held.log)

    def test_signal_fails(self) -> None:
        """One that reaches nobody is told only to who has given it a label."""
        eve = self.come("eve", *TAGS)
        eve.news()
        eve.say("@+x TAGMSG nobody", "@+x TAGMSG #other", "@+x;label=2 TAGMSG #other")
        self.world.pass_seconds(0.1)
        [line] = eve.news()
        self.assertRegex(line, "^@label=2 :irc.chatroom 404 eve #other ")

    def test_budget(self) -> None:
        """What is over the budget of the second is dropped."""
        eve, far = self.come("eve", "message-tags"), self.come("far", "message-tags")
        far.news()
        for _ in range(6):
            eve.say(*["@+x TAGMSG #den"] * 1000)
        self.world.pass_seconds(0.5)
        shown = len(far.news())
        self.assertGreater(shown, 1000)
        self.assertLess(shown, 6000)

    def test_bots(self) -> None:
        """A bot's lines are marked, also for who reads them later."""
        far = self.come("far", "message-tags")
        far.news()
        self.ann.say("MODE ann +B", "PRIVMSG #den :beep")
        self.world.pass_seconds(0.1)
        self.assertRegex(far.news()[-1], r"^@time=\S+;msgid=\S+;bot :ann!")

    def test_change(self) -> None:
        """What is shown follows CAP REQ at once; nothing is lost or doubled."""
        self.ann.say("PRIVMSG #den :1")
        self.bob.say(
            "CAP REQ :server-time", "CAP REQ :message-tags echo-message", "PRIVMSG #den :2", "CAP REQ :-message-tags"
        )
        self.ann.say("PRIVMSG #den :3")
        self.world.pass_seconds(0.1)
        shown = [line for line in self.bob.news() if "PRIVMSG" in line]
        self.assertEqual([line[-1] for line in shown], ["1", "2", "3"])
        self.assertTrue(shown[0].startswith(":ann!"))
        self.assertIn(";msgid=inmemory/den/2 ", shown[1])
        self.assertRegex(shown[2], r"^@time=\S+Z :ann!")
