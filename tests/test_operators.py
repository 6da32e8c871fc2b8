from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import Reactor, now
from twistedchat.errors import ChatError
from twistedchat.operators import MAX_WAITING, MAX_WRONG, OperatorsError, OperatorsFile, hash_line

if TYPE_CHECKING:
    from collections.abc import Callable

# Of "tea", made with so little memory and time that a test does not wait for it.
TEA = "$argon2id$v=19$m=8,t=1,p=1$XfmFcbsoz5o$Z6cUGyj0CHX6evg5F3hokw"


class Threads:
    """Calls that wait, as in a thread, until the test lets them go on; at once unless it holds them."""

    def __init__(self) -> None:
        self.holding = False
        self.waiting: list[tuple[Deferred[Any], Callable[[], object]]] = []

    def run(self, function: Callable[..., object], *args: object) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.waiting.append((done, lambda: function(*args)))
        if not self.holding:
            self.go_on()
        return done

    def go_on(self) -> None:
        done, call = self.waiting.pop(0)
        done.callback(call())


class OperatorsTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "operators"
        self.write(f"# who may\n\nroot:{TEA}\n")
        self.clock = Reactor()
        self.threads = Threads()

    def write(self, text: str, mode: int = 0o600) -> None:
        self.path.write_text(text, "utf-8")
        self.path.chmod(mode)

    def operators(self) -> OperatorsFile:
        return OperatorsFile(str(self.path), self.clock, self.threads.run)

    def check(self, operators: OperatorsFile, name: str = "root", given: str = "tea", who: object = "me") -> str:
        """The code of the refusal, or ""."""
        try:
            now(operators.check(who, name, given))
        except ChatError as error:
            return error.code
        return ""


class FileTests(OperatorsTestCase):
    def refusal(self) -> str:
        return str(self.assertRaises(OperatorsError, self.operators))

    def test_others_may_read(self) -> None:
        """A file that anybody but its owner may read, or write, is not taken; the sentence says what to do."""
        for mode in (0o640, 0o604, 0o620, 0o666):
            self.path.chmod(mode)
            self.assertIn(f"chmod 600 {self.path}", self.refusal())
        self.path.chmod(0o400)
        self.operators()

    def test_no_file(self) -> None:
        """A file that can't be read is named, with the reason."""
        self.path.unlink()
        self.assertIn("No such file", self.refusal())
        self.path.write_bytes(b"\xff")
        self.path.chmod(0o600)
        self.assertIn("UTF-8", self.refusal())

    def test_wrong_line(self) -> None:
        """A line that is none is named by its number, and nothing of it is told."""
        for line in ("root", "root:secret", "root:", TEA):
            self.write(f"root:{TEA}\n{line}\n")
            said = self.refusal()
            self.assertIn("Line 2", said)
            self.assertNotIn("secret", said)

    def test_password_as_it_is(self) -> None:
        """A name and a password with a space between them need no hash; a password may have spaces and colons."""
        self.write(f"alice milk: and $tea\nroot:{TEA}\n")
        operators = self.operators()
        self.assertEqual(self.check(operators, "alice", "milk: and $tea"), "")
        self.assertEqual(self.check(operators), "")
        for name, password in (
            ("alice", "milk:"),
            ("alice", " milk: and $tea"),
            ("alice", ""),
            ("bob", "milk: and $tea"),
        ):
            self.assertEqual(self.check(operators, name, password, who=name + password), "wrong-password")

    def test_hash_line(self) -> None:
        """A line that was made for a name and a password says that they are right."""
        self.write(hash_line("alice", "milk and tea"))
        self.assertEqual(self.check(self.operators(), "alice", "milk and tea"), "")
        for name in ("", "a:b", "a b", "#a", "a\nb"):
            self.assertRaises(OperatorsError, hash_line, name, "x")


class CheckTests(OperatorsTestCase):
    def test_right_and_wrong(self) -> None:
        """A name and its password are right; nothing else is, whether the name or the password is wrong."""
        operators = self.operators()
        self.assertEqual(self.check(operators), "")
        for name, password in (("root", "milk"), ("root", ""), ("Root", "tea"), ("", "tea")):
            self.assertEqual(self.check(operators, name, password), "wrong-password")

    def test_nobody(self) -> None:
        """An empty file makes nobody an operator."""
        self.write("")
        self.assertEqual(self.check(self.operators(), "", ""), "wrong-password")

    def test_changed_file(self) -> None:
        """What is changed in the file counts at once; a file that can't be used leaves things as they were."""
        operators = self.operators()
        self.write(f"alice:{TEA}\n")
        os.utime(self.path, ns=(1, 1))
        self.assertEqual([self.check(operators, name) for name in ("root", "alice")], ["wrong-password", ""])
        self.write(f"bob:{TEA}\n", 0o644)
        self.assertEqual([self.check(operators, name) for name in ("bob", "alice")], ["wrong-password", ""])

    def test_too_many_wrong(self) -> None:
        """Who was wrong too often waits for a minute, even with the right password; others do not."""
        operators = self.operators()
        for _ in range(MAX_WRONG):
            self.assertEqual(self.check(operators, given="milk"), "wrong-password")
            self.clock.advance(1)
        self.assertEqual([self.check(operators), self.check(operators, who="another")], ["try-later", ""])
        self.clock.advance(60 - MAX_WRONG + 0.5)
        self.assertEqual(self.check(operators), "")

    def test_one_after_the_other(self) -> None:
        """Passwords are checked one after the other, and not too many wait."""
        self.threads.holding = True
        operators = self.operators()
        checks = [Deferred.fromCoroutine(operators.check(number, "root", "tea")) for number in range(MAX_WAITING)]
        self.assertEqual(self.check(operators), "try-later")
        for check in checks:
            self.assertNoResult(check)
            self.assertEqual(len(self.threads.waiting), 1)
            self.threads.go_on()
            self.successResultOf(check)

    def test_lost(self) -> None:
        """Whoever asks may be lost meanwhile: the next is checked when the thread is done, not before."""
        self.threads.holding = True
        operators = self.operators()
        first = Deferred.fromCoroutine(operators.check(1, "root", "tea"))
        second = Deferred.fromCoroutine(operators.check(2, "root", "tea"))
        first.addErrback(lambda _: None)
        first.cancel()
        self.assertEqual(len(self.threads.waiting), 1)
        self.threads.go_on()
        self.threads.go_on()
        self.successResultOf(second)
