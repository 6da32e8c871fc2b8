from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.irc.test_format import event, said_by, way
from tests.irc.test_pieces import ANY_TEXT
from twistedchat.events import MAX_TEXT_BYTES
from twistedchat.irc.errors import FailError
from twistedchat.irc.message import parse
from twistedchat.irc.multiline import OPEN_SECONDS, Incoming, Whole
from twistedchat.irc.pieces import MAX_LINES

CONCAT = "batch=1;draft/multiline-concat"


class MultilineTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.incoming = Incoming()
        self.now = 100.0

    def send(self, *lines: str) -> Whole | None:
        """Lines of a client; what the last one gives."""
        whole = None
        for line in lines:
            message = parse(line.encode())
            if message.command == "BATCH":
                whole = self.incoming.bracket(message, self.now)
            else:
                self.incoming.line(message)
        return whole

    def open(self, target: str = "#lobby", tags: str = "label=7") -> None:
        self.send(f"@{tags} BATCH +1 draft/multiline {target}")

    def fails(self, line: str) -> tuple[str, ...]:
        """The code and the context of the one error of a line; after it the batch is over, and nothing is said."""
        error = self.assertRaises(FailError, self.send, line)
        self.assertEqual(error.command, "BATCH")
        self.assertFalse(self.incoming.is_open)
        self.assertIsNone(self.send("@batch=1 PRIVMSG #lobby :more", "@batch=1 X", "BATCH -1"))
        return (error.code, *error.context)


class WholeTests(MultilineTestCase):
    def test_lines(self) -> None:
        """The lines are joined by line feeds, those that go on by nothing, and blank ones count."""
        self.open(tags="label=7;+x=1;other")
        whole = self.send(
            "@batch=1 PRIVMSG #lobby hello",
            "@batch=1 PRIVMSG #lobby :",
            "@batch=1 privmsg #Lobby :how is ",
            f"@{CONCAT} PRIVMSG #lobby :everyone?",
            "BATCH -1",
        )
        self.assertEqual(whole, Whole("PRIVMSG", "#lobby", "hello\n\nhow is everyone?", "+x=1", "7"))
        self.assertFalse(self.incoming.is_open)

    def test_notice(self) -> None:
        """All lines may be notices; the first one goes on from nothing."""
        self.open("bob")
        whole = self.send(f"@{CONCAT} NOTICE bob a", "@batch=1 NOTICE bob b", "BATCH -1")
        self.assertEqual(whole, Whole("NOTICE", "bob", "a\nb", "", "7"))

    def test_limits(self) -> None:
        """A hundred lines and 4,096 bytes are taken, line feeds counted."""
        self.open()
        lines = ["@batch=1 PRIVMSG #lobby :x"] * (MAX_LINES - 1)
        whole = self.send(*lines, "@batch=1 PRIVMSG #lobby :y", "BATCH -1")
        assert whole is not None
        self.assertEqual(whole.text.count("\n"), MAX_LINES - 1)
        self.open()
        full = ["ж" * 200] * 10
        rest = "y" * (MAX_TEXT_BYTES - 10 * 401)
        whole = self.send(*[f"@batch=1 PRIVMSG #lobby :{text}" for text in [*full, rest]], "BATCH -1")
        assert whole is not None
        self.assertEqual(len(whole.text.encode()), MAX_TEXT_BYTES)

    @given(ANY_TEXT.filter(lambda text: text.replace("\0", "").strip("\n")))
    def test_what_we_send(self, text: str) -> None:
        """A batch of ours is a message when it is sent back: what is shown, but for one that is a single line."""
        lines = way(multiline=True).line(event(text)).split(b"\r\n")[:-1]
        if len(lines) > 1:
            self.setUp()
            messages = [parse(line) for line in lines]
            for message in messages[:-1]:
                if message.command == "BATCH":
                    self.incoming.bracket(message, 0)
                else:
                    self.incoming.line(message)
            whole = self.incoming.bracket(messages[-1], 0)
            assert whole is not None
            self.assertEqual(whole.text, said_by(messages))


class FailTests(MultilineTestCase):
    def test_lines(self) -> None:
        """A line that does not belong there ends the batch; the label of the batch is known."""
        for before, line, answer in [
            ("", "@batch=1 PRIVMSG #tea :a", ("MULTILINE_INVALID_TARGET", "#lobby", "#tea")),
            ("", "@batch=1 TOPIC #lobby :a", ("MULTILINE_INVALID",)),
            ("", "@batch=1 TAGMSG #lobby", ("MULTILINE_INVALID",)),
            ("", "@batch=1 PRIVMSG #lobby", ("MULTILINE_INVALID",)),
            ("", "@batch=1 PRIVMSG #lobby a b", ("MULTILINE_INVALID",)),
            ("@batch=1 PRIVMSG #lobby :a", "@batch=1 NOTICE #lobby :b", ("MULTILINE_INVALID",)),
            ("@batch=1 PRIVMSG #lobby :a", f"@{CONCAT} PRIVMSG #lobby :", ("MULTILINE_INVALID",)),
            ("@batch=1 PRIVMSG #lobby :", "BATCH -1", ("MULTILINE_INVALID",)),
            ("", "BATCH -1", ("MULTILINE_INVALID",)),
        ]:
            self.open()
            if before:
                self.send(before)
            self.assertEqual(self.fails(line), answer, line)
            self.assertEqual(self.incoming.label, "7")

    def test_too_much(self) -> None:
        """One line or one byte too many, and the limit is told."""
        self.open()
        self.send(*["@batch=1 PRIVMSG #lobby :x"] * MAX_LINES)
        self.assertEqual(self.fails(f"@{CONCAT} PRIVMSG #lobby :x"), ("MULTILINE_MAX_LINES", "100"))
        self.open()
        self.send(*[f"@batch=1 PRIVMSG #lobby :{'x' * 399}"] * 10)
        self.send(f"@{CONCAT} PRIVMSG #lobby :{'x' * 97}")
        self.assertEqual(self.fails(f"@{CONCAT} PRIVMSG #lobby :x"), ("MULTILINE_MAX_BYTES", "4096"))

    def test_opening(self) -> None:
        """What does not open a batch says why, and its lines are passed over."""
        for line, answer in [
            ("BATCH +1 draft/other #lobby", ("UNKNOWN_TYPE", "1", "draft/other")),
            ("BATCH +1", ("UNKNOWN_TYPE", "1", "*")),
            ("BATCH +a/b draft/multiline #lobby", ("INVALID_REFTAG", "+a/b")),
            ("BATCH + draft/multiline #lobby", ("INVALID_REFTAG", "+")),
            (f"BATCH +{'x' * 65} draft/multiline #lobby", ("INVALID_REFTAG", f"+{'x' * 65}")),
            ("BATCH 1 draft/multiline #lobby", ("INVALID_REFTAG", "1")),
            ("BATCH +1 draft/multiline", ("MULTILINE_INVALID",)),
            ("BATCH +1 draft/multiline #lobby more", ("MULTILINE_INVALID",)),
            ("@batch=0 BATCH +1 draft/multiline #lobby", ("MULTILINE_INVALID",)),
        ]:
            self.assertEqual(self.fails(line), answer, line)

    def test_one_at_a_time(self) -> None:
        """A second batch is refused while one is open, which goes on."""
        self.open()
        error = self.assertRaises(FailError, self.send, "@label=8 BATCH +2 draft/multiline #tea")
        self.assertEqual((error.code, self.incoming.label), ("MULTILINE_INVALID", "8"))
        whole = self.send("@batch=2 PRIVMSG #tea :b", "BATCH -2", "@batch=1 PRIVMSG #lobby :a", "BATCH -1")
        self.assertEqual(whole, Whole("PRIVMSG", "#lobby", "a", "", "7"))

    def test_time(self) -> None:
        """A batch that is left open is given up after a minute."""
        self.open()
        self.incoming.expire(self.now + OPEN_SECONDS - 1)
        self.assertTrue(self.incoming.is_open)
        error = self.assertRaises(FailError, self.incoming.expire, self.now + OPEN_SECONDS)
        self.assertEqual((error.code, *error.context), ("TIMEOUT", "1"))
        self.incoming.expire(self.now + OPEN_SECONDS)
        self.assertIsNone(self.send("@batch=1 PRIVMSG #lobby :a", "BATCH -1"))

    @given(
        st.lists(
            st.sampled_from(
                [
                    "BATCH +1 draft/multiline #lobby",
                    "BATCH +2 draft/multiline bob",
                    "BATCH -1",
                    "BATCH -2",
                    "BATCH :",
                    "@batch=1 PRIVMSG #lobby :a",
                    "@batch=1 PRIVMSG #lobby :",
                    f"@{CONCAT} PRIVMSG #lobby :b",
                    "@batch=2 NOTICE bob :c",
                    "@batch=2 X",
                ]
            )
        )
    )
    def test_any(self, lines: list[str]) -> None:
        """Whatever is sent, it is the one error, or a message that is not blank."""
        self.setUp()
        for line in lines:
            try:
                whole = self.send(line)
            except FailError:
                continue
            if whole is not None:
                self.assertTrue(whole.text.strip("\n"))
