"""Messages of several lines: from a client, and to clients of each sort."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import World
from tests.irc.client import IrcClient, come
from twistedchat.events import Kind
from twistedchat.stores.base import StoreError

CAPS = ("batch", "message-tags", "draft/multiline", "labeled-response", "standard-replies")


class BatchCase(SynchronousTestCase):
    """A room with somebody who sends such messages, and somebody who knows nothing of it."""

    @override
    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(self.world.close)
        self.ann = come(self.world, "ann", *CAPS, rooms=["den"])
        self.bob = come(self.world, "bob", rooms=["den"])
        self.ann.news()

    @override
    def tearDown(self) -> None:
        self.assertEqual(self.world.faults, [])

    def batch(self, *texts: str, target: str = "#den", tags: str = "", command: str = "PRIVMSG") -> list[str]:
        """Send a message of several lines; what the sender is told then."""
        opening = f"{tags and f'@{tags} '}BATCH +r draft/multiline {target}"
        self.ann.say(opening, *(f"@batch=r {command} {target} :{text}" for text in texts), "BATCH -r")
        self.world.pass_seconds(0.1)
        return self.ann.news()

    @staticmethod
    def texts(client: IrcClient) -> list[str]:
        return [line.partition(" :")[2] for line in client.news()]


class SentTests(BatchCase):
    def test_one_event(self) -> None:
        """It is one event, its lines joined by line feeds; others are shown a line each, without the blank ones."""
        self.assertEqual(self.batch("one", "", "two"), [])
        [event] = self.world.held.log["den"]
        self.assertEqual((event.kind, event.text), (Kind.SAY, "one\n\ntwo"))
        self.assertEqual(self.texts(self.bob), ["one", "two"])

    def test_kinds(self) -> None:
        """What is done, and notices."""
        self.batch("\x01ACTION waves", "twice\x01")
        self.batch("hear", "hear", command="NOTICE")
        self.assertEqual(
            [(event.kind, event.text) for event in self.world.held.log["den"]],
            [(Kind.ME, "waves\ntwice"), (Kind.NOTICE, "hear\nhear")],
        )
        self.assertEqual(self.batch("\x01VERSION", "\x01")[0].split(" ")[1:4], ["404", "ann", "#den"])

    def test_label(self) -> None:
        """The label of its first line is answered when all of it is stored."""
        [line] = self.batch("one", "two", tags="label=7")
        self.assertEqual(line, "@label=7 :irc.chatroom ACK")

    def test_echo(self) -> None:
        """With echo-message it comes back as one batch, which has the label."""
        self.ann.say("CAP REQ :echo-message")
        self.ann.news()
        opening, one, two, closing = self.batch("one", "two", tags="label=7")
        self.assertRegex(opening, r"^@label=7;time=\S+;msgid=\S+ :ann!~ann@\S+ BATCH \+(\S+) draft/multiline #den$")
        for line, text in ((one, "one"), (two, "two")):
            self.assertRegex(line, rf"^@batch=\S+ :ann!~ann@\S+ PRIVMSG #den :{text}$")
        self.assertRegex(closing, r" BATCH -\S+$")

    def test_private(self) -> None:
        """To a person it goes as a private line."""
        [line] = self.batch("one", "two", target="bob", tags="label=7")
        self.assertEqual(line, "@label=7 :irc.chatroom ACK")
        self.assertEqual(self.texts(self.bob), ["one", "two"])
        [line] = self.batch("one", "two", target="nobody", tags="label=8")
        self.assertTrue(line.startswith("@label=8 :irc.chatroom 401 ann nobody :"), line)

    def test_in_one_line(self) -> None:
        """More than a line of IRC holds, and up to 4,096 bytes."""
        texts = ["x" * 400] * 10
        self.batch(*texts)
        self.assertEqual(self.world.held.log["den"][0].text, "\n".join(texts))
        self.assertEqual(self.texts(self.bob), texts)


class RefusedTests(BatchCase):
    def test_limits(self) -> None:
        """What is too large is refused, once, and nothing of it is said."""
        for texts, told in (
            (["x" * 400] * 11, "MULTILINE_MAX_BYTES 4096"),
            (["x"] * 101, "MULTILINE_MAX_LINES 100"),
            (["", ""], "MULTILINE_INVALID"),
        ):
            [line] = self.batch(*texts, tags="label=7")
            self.assertTrue(line.startswith(f"@label=7 :irc.chatroom FAIL BATCH {told} :"), line)
        self.assertNotIn("den", self.world.held.log)
        self.batch("well")
        self.assertEqual(self.texts(self.bob), ["well"])

    def test_left_open(self) -> None:
        """A batch that does not end is given up after a minute."""
        self.ann.say("@label=7 BATCH +r draft/multiline #den", "@batch=r PRIVMSG #den :one")
        self.world.pass_seconds(59)
        self.assertEqual(self.ann.news(), [])
        self.world.pass_seconds(2)
        [line] = self.ann.news()
        self.assertTrue(line.startswith("@label=7 :irc.chatroom FAIL BATCH TIMEOUT r :"), line)
        self.ann.say("BATCH -r")
        self.assertEqual((self.ann.news(), self.texts(self.bob)), ([], []))

    def test_not_stored(self) -> None:
        """What can't be stored is told to its sender."""
        self.world.held.fault = StoreError("no disk")
        [line] = self.batch("one", "two", tags="label=7")
        self.assertTrue(line.startswith("@label=7 :irc.chatroom FAIL PRIVMSG NOT_STORED #den :"), line)

    def test_not_in_it(self) -> None:
        """Nor can it be said to a room that one is not in."""
        come(self.world, "eve", rooms=["attic"])
        [line] = self.batch("one", "two", target="#attic")
        self.assertIn(" 404 ann #attic :", line)
        self.assertEqual(self.batch("one", target="#attic", command="NOTICE"), [])

    def test_without(self) -> None:
        """A client that has not asked for it has no such command; a gone one leaves no timer."""
        self.bob.say("BATCH +r draft/multiline #den")
        self.assertIn(" 421 bob BATCH :", self.bob.news()[0])
        self.ann.say("BATCH +r draft/multiline #den")
        self.ann.reset()
        self.bob.reset()
        self.world.pass_seconds(61)
