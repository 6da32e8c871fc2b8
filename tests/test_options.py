from __future__ import annotations

import contextlib
import io

from twisted.trial.unittest import SynchronousTestCase

import twistedchat
from twistedchat.options import Options


class OptionsTests(SynchronousTestCase):
    def parse(self, *words: str) -> Options:
        options = Options()
        options.parseOptions(words)
        return options

    def test_defaults(self) -> None:
        """Without a word, a room on the usual port, kept in the current folder."""
        options = self.parse()
        self.assertEqual(
            [options[name] for name in ("port", "store", "sync", "rate", "login-timeout", "history", "motd")],
            [["6622"], "sqlite:chatroom.db", "full", (20, 200), 60, 20, []],
        )

    def test_more_than_once(self) -> None:
        """Ports and lines of the day can be given several times; a port given takes the place of the usual one."""
        options = self.parse("--port", "1", "-p", "unix:/x", "--motd", "one", "--motd", "two")
        self.assertEqual((options["port"], options["motd"]), (["1", "unix:/x"], ["one", "two"]))

    def test_rate(self) -> None:
        """The burst is ten times the rate unless it is given, and at least one line."""
        for text, rate in [("5", (5, 50)), ("0.01", (0.01, 1)), ("5/7", (5, 7)), ("0", (0, 1))]:
            self.assertEqual(self.parse("--rate", text)["rate"], rate)

    def test_made_harmless(self) -> None:
        """What is shown to everybody harms no terminal."""
        options = self.parse("--title", "a\x1b[2J", "--motd", "b\r\n")
        self.assertEqual((options["title"], options["motd"]), ("a␛[2J", ["b␍␊"]))

    def test_wrong(self) -> None:
        """What is wrong is said in one line, with its name, and the status is not 0."""
        for words in [
            ("--sync", "maybe"),
            ("--rate", "fast"),
            ("--rate", "-1"),
            ("--rate", "5/0"),
            ("--rate", "5/"),
            ("--rate", "nan"),
            ("--login-timeout", "0"),
            ("--login-timeout", "inf"),
            ("--history", "-1"),
            ("--history", "501"),
            ("--colour",),
            ("--title",),
        ]:
            message = self.assertRaises(SystemExit, self.parse, *words).code
            assert isinstance(message, str)
            self.assertRegex(message, rf"^chatroom: .*{words[0].strip('-')}.*$")

    def test_argument(self) -> None:
        """An argument is refused: there are none."""
        self.assertIn("'7000'", str(self.assertRaises(SystemExit, self.parse, "7000").code))

    def test_version(self) -> None:
        """It tells its own version."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertFalse(self.assertRaises(SystemExit, self.parse, "--version").code)
        self.assertEqual(printed.getvalue(), f"twistedchat {twistedchat.__version__}\n")

    def test_help(self) -> None:
        """The help lists every option and gives examples."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertFalse(self.assertRaises(SystemExit, self.parse, "--help").code)
        for name in ("port", "store", "sync", "rate", "login-timeout", "title", "motd", "history", "health"):
            self.assertIn(f"--{name}", printed.getvalue())
        self.assertIn("twistd -n chatroom --port 7000", printed.getvalue())
