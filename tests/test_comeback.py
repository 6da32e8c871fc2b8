"""Whoever has a name and its word is that person again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.ear import Ear
from tests.fakes import HeldStore, Reactor, now
from twistedchat.comeback import STAY_SECONDS, enter_by_word, resume
from twistedchat.errors import ChatError
from twistedchat.formats.jsonl import JsonFormat
from twistedchat.formats.plain import PlainFormat
from twistedchat.hub import Hub
from twistedchat.people.base import LINGER_SECONDS
from twistedchat.people.password import GUESS_SECONDS, MAX_GUESSED_NAMES, MAX_GUESSES, Guesses, hashed_word, word_token
from twistedchat.session import Session

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from twistedchat.speaker import Listener

FORMAT = JsonFormat()
WORD = "correct horse"


class ComeBackCase(SynchronousTestCase):
    """A server, and connections that answer when they are asked whether they are there, or not.

    Attributes:
        asked: The connections that were asked, and what waits for their answers.
    """

    @override
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.hub = Hub(HeldStore(self.reactor.seconds), self.reactor, wall=self.reactor.seconds)
        now(self.hub.open())
        self.asked: list[tuple[Listener, Deferred[bool]]] = []

    async def still_there(self, outlet: Listener) -> bool:
        answer: Deferred[bool] = Deferred()
        self.asked.append((outlet, answer))
        return await answer

    def entering(self, name: str, word: str = WORD, ear: Ear | None = None) -> Coroutine[Deferred[Any], Any, Session]:
        session = Session(self.hub, ear or Ear())
        return enter_by_word(self.hub, session, name, word, FORMAT, self.still_there)

    def enter(self, name: str, word: str = WORD, ear: Ear | None = None) -> Session:
        session: Session = now(self.entering(name, word, ear))
        return session

    def code(self, name: str, word: str = WORD) -> str:
        """With which error somebody is refused; "" if it is not."""
        try:
            self.enter(name, word)
        except ChatError as error:
            return error.code
        return ""

    def say(self, session: Session, text: str) -> None:
        session.say("den", text, Ear())
        self.reactor.pump([0.1])


class TakenUpTests(ComeBackCase):
    def test_lost(self) -> None:
        """After a loss the same name, in any case, and the same word take the session up, with its rooms."""
        ann = self.enter("ann")
        now(ann.join("den", FORMAT))
        ann.lose()
        ear = Ear()
        self.assertIs(self.enter("ANN", ear=ear), ann)
        self.assertEqual((ann.name, list(ann.rooms), ann.outlet), ("ann", ["den"], ear))
        self.reactor.advance(STAY_SECONDS)
        self.assertEqual(ann.name, "ann")

    def test_stays(self) -> None:
        """A lost session stays for ten minutes, and then leaves with a word."""
        ann, bob = self.enter("ann"), Session(self.hub, ear := Ear())
        now(bob.enter("bob"))
        now(ann.join("den", FORMAT))
        now(bob.join("den", PlainFormat()))
        bob.show_all()
        self.reactor.pump([0.3, 0.3])
        before = list(ear.heard)
        ann.lose()
        self.reactor.pump([STAY_SECONDS - 1])
        self.assertEqual((ear.heard, ann.name), (before, "ann"))
        self.reactor.pump([1, 1])
        self.assertIn("Connection lost", ear.heard[-1])
        self.assertEqual(ann.name, "")
        self.assertEqual(self.code("ann", "another word"), "")

    def test_not_lost(self) -> None:
        """While the old connection answers, the newcomer is refused."""
        old = Ear()
        self.enter("ann", ear=old)
        entering = Deferred.fromCoroutine(self.entering("ann"))
        [(asked, answer)] = self.asked
        self.assertIs(asked, old)
        self.assertNoResult(entering)
        answer.callback(True)
        self.assertEqual(self.failureResultOf(entering, ChatError).value.code, "name-taken")
        self.assertNotIn("evicted: taken-over", old.heard)

    def test_silent(self) -> None:
        """When it does not, it is closed, and the session goes on at the new one."""
        old = Ear()
        ann = self.enter("ann", ear=old)
        entering = Deferred.fromCoroutine(self.entering("ann"))
        self.asked[0][1].callback(False)
        self.assertIs(self.successResultOf(entering), ann)
        self.assertEqual(old.heard, ["evicted: taken-over"])

    def test_two_at_once(self) -> None:
        """Of two newcomers the first one gets it: the second is refused, as there is somebody now."""
        ann = self.enter("ann")
        first, second = (Deferred.fromCoroutine(self.entering("ann")) for _ in range(2))
        for _, answer in self.asked:
            answer.callback(False)
        self.assertIs(self.successResultOf(first), ann)
        self.assertEqual(self.failureResultOf(second, ChatError).value.code, "name-taken")

    def test_lost_meanwhile(self) -> None:
        """If the old connection is lost while it is asked, the session is taken up all the same."""
        ann = self.enter("ann")
        entering = Deferred.fromCoroutine(self.entering("ann"))
        ann.lose()
        self.asked[0][1].callback(False)
        self.assertIs(self.successResultOf(entering), ann)

    def test_renamed(self) -> None:
        """The word holds for the name that the person has now."""
        ann = self.enter("ann")
        now(ann.rename("amy"))
        ann.lose()
        self.assertIsNot(self.enter("ann"), ann)
        self.assertIs(self.enter("amy"), ann)

    def test_ended(self) -> None:
        """Who has quit is not taken up."""
        ann = self.enter("ann")
        ann.end()
        ann.lose()
        self.assertEqual(ann.name, "")
        self.assertIsNot(self.enter("ann"), ann)

    def test_seen(self) -> None:
        """What has arrived is kept while the session is lost; the rest is shown then, and nothing twice."""
        ann, bob = self.enter("ann", ear=(old := Ear())), self.enter("bob", "bob's word")
        for session in (ann, bob):
            now(session.join("den", FORMAT, after=0))
        self.say(bob, "one")
        shown = ann.shown()
        self.say(bob, "two")
        ann.confirm(shown)
        self.say(bob, "three")
        self.assertEqual((ann.arrived, old.seqs), ({"den": 1}, {"den": [1, 2, 3]}))
        ann.lose()
        ann.confirm({})
        self.say(bob, "four")
        self.enter("ann", ear=(new := Ear()))
        assert ann.arrived is not None
        now(ann.join("den", FORMAT, after=ann.arrived["den"]))
        ann.show_all()
        self.reactor.pump([0.1])
        self.assertEqual(new.seqs, {"den": [2, 3, 4]})
        ann.leave("den")
        self.assertEqual(ann.arrived, {})
        ann.confirm(shown)
        self.assertEqual(ann.arrived, {})


class GuessTests(ComeBackCase):
    def test_wrong_word(self) -> None:
        """A wrong word is as none: the name is taken; nor does another name's word help."""
        ann = self.enter("ann")
        self.enter("bob", "bob's word")
        ann.lose()
        self.assertEqual(self.code("ann", "bob's word"), "name-taken")
        self.assertEqual(self.code("b0b"), "name-taken")

    def test_guessing(self) -> None:
        """After five wrong words the name is refused for a minute, to the right one, too; then it is not."""
        ann = self.enter("ann")
        ann.lose()
        for number in range(MAX_GUESSES):
            self.assertEqual(self.code("ann", f"guess {number}"), "name-taken")
        self.assertEqual(self.code("Ann"), "name-taken")
        self.reactor.advance(GUESS_SECONDS - 1)
        self.assertEqual(self.code("ann"), "name-taken")
        self.reactor.advance(1)
        self.assertIs(self.enter("ann"), ann)

    def test_slow_guessing(self) -> None:
        """Guesses count for a minute."""
        ann = self.enter("ann")
        ann.lose()
        for number in range(2 * MAX_GUESSES):
            self.assertEqual(self.code("ann", f"guess {number}"), "name-taken")
            self.reactor.advance(GUESS_SECONDS / (MAX_GUESSES - 1))
        self.assertIs(self.enter("ann"), ann)

    def test_bounded(self) -> None:
        """Guesses at very many names take no memory without a bound."""
        guesses = Guesses(self.reactor.seconds)
        for _ in range(MAX_GUESSES):
            guesses.wrong("ann")
        with self.assertRaises(ChatError):
            guesses.check("ann")
        for number in range(MAX_GUESSED_NAMES):
            guesses.wrong(f"name{number}")
        guesses.check("ann")

    def test_token(self) -> None:
        """A token that is made of a word takes nothing up where tokens are given: it would be a way to guess."""
        ann = self.enter("ann")
        ann.lose()
        token = word_token("ann", hashed_word(WORD))
        self.assertEqual(ann.token, token)
        self.assertIsNone(now(resume(self.hub, token, Ear(), FORMAT)))

    def test_other_sessions(self) -> None:
        """Those with a random token stay for a minute, as ever."""
        bob = Session(self.hub, Ear())
        now(bob.enter("bob", resumable=True))
        self.assertIsNone(bob.arrived)
        bob.confirm({"den": 1})
        now(bob.rename("rob"))
        bob.lose()
        self.assertIsNotNone(now(resume(self.hub, bob.token, Ear(), FORMAT)))
        bob.lose()
        self.reactor.advance(LINGER_SECONDS)
        self.assertEqual(bob.name, "")
