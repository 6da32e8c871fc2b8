from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.fakes import Reactor, now
from twistedchat.errors import ChatError
from twistedchat.events import Kind
from twistedchat.people.base import LINGER_SECONDS, Stay
from twistedchat.people.local import MAX_LINGERING, LocalPeople
from twistedchat.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from twistedchat.people.base import Deed, Named


class Somebody:
    """A person; gives everything back when it is closed, as a session does."""

    def __init__(self, people: LocalPeople) -> None:
        self.name = ""
        self.token = ""
        self.stay = Stay()
        self.arrived: dict[str, int] | None = None
        self.profile = Profile("plain", "local.ip")
        self.closed = 0
        self._people = people

    async def hear(self, sender: Named, text: str, at: int, kind: Kind = Kind.SAY, tags: str = "") -> None:
        """It is told nothing."""

    async def undergo(self, deed: Deed) -> None:
        """Nothing is done to it."""

    @property
    def rooms(self) -> tuple[str, ...]:
        return ()

    def evict(self, code: str, text: str, *, is_moved: bool) -> None:
        """It never is."""

    def notify(self, text: str) -> None:
        """It is told nothing."""

    def close(self, why: str = "") -> None:
        self.closed += 1
        if self.name:
            self._people.back(self)
            self._people.release(self, self.name, self.token)
            self.name = ""


class PeopleTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Reactor()
        self.people = LocalPeople(self.clock)
        self.ann = self.come("ann")

    def come(self, name: str) -> Somebody:
        somebody = Somebody(self.people)
        somebody.token = now(self.people.claim(name, somebody, resumable=True))
        somebody.name = name
        return somebody

    def refusal(self, ask: Coroutine[Any, Any, object]) -> ChatError:
        """The error that is raised; it is always for a name that is taken."""
        with self.assertRaises(ChatError) as caught:
            now(ask)
        self.assertEqual(caught.exception.code, "name-taken")
        error: ChatError = caught.exception
        return error


class NamesTests(PeopleTestCase):
    def test_claimed(self) -> None:
        """A name, and every other that looks like it, is one person's until it is given back."""
        for name in ("ann", "ANN", "аnn"):
            self.assertNotIn("free_in", self.refusal(self.people.claim(name, Somebody(self.people))).facts)
            self.assertIs(now(self.people.find(name)), self.ann)
        self.ann.close()
        self.assertIsNone(now(self.people.find("ann")))
        another = self.come("Ann")
        for name in ("ann", "Ann", "nobody"):
            self.people.release(self.ann, name, "")
        self.assertIs(now(self.people.find("ann")), another)

    def test_renamed(self) -> None:
        """A new name may look like the old one; one that is taken changes nothing."""
        bob = self.come("bob")
        self.refusal(self.people.rename(self.ann, "b0b"))
        self.assertIs(now(self.people.find("ann")), self.ann)
        now(self.people.rename(self.ann, "Ann"))
        self.ann.name = "Ann"
        now(self.people.rename(self.ann, "amy"))
        self.ann.name = "amy"
        self.assertEqual([now(self.people.find(name)) for name in ("ann", "amy", "bob")], [None, self.ann, bob])


class LingerTests(PeopleTestCase):
    def test_lost(self) -> None:
        """Who has lost the connection keeps its name for a while, is told to nobody's harm how long, and then ends."""
        self.people.linger(self.ann)
        self.clock.advance(12.4)
        error = self.refusal(self.people.claim("Ann", Somebody(self.people)))
        self.assertEqual(error.facts, {"free_in": 48})
        self.assertIn("ann lost the connection 12 s ago; the name is free in 48 s", error.text)
        self.assertEqual(self.refusal(self.people.rename(self.come("bob"), "ann")).facts, {"free_in": 48})
        self.clock.advance(LINGER_SECONDS)
        self.assertEqual((self.ann.closed, self.clock.getDelayedCalls()), (1, []))
        self.come("ann")

    def test_asked_for(self) -> None:
        """Who is only asked for by its token still ends in its time, unless it is taken up."""
        self.people.linger(self.ann)
        self.assertIs(now(self.people.resume(self.ann.token)), self.ann)
        self.clock.advance(LINGER_SECONDS)
        self.assertEqual(self.ann.closed, 1)

    def test_last_moment(self) -> None:
        """It is never said that a taken name is free in no time."""
        self.people.linger(self.ann)
        self.clock.advance(LINGER_SECONDS - 0.01)
        self.assertEqual(self.refusal(self.people.claim("ann", Somebody(self.people))).facts, {"free_in": 1})

    def test_resumed(self) -> None:
        """With the token the person is found, and does not end, however often it was lost."""
        for _ in range(3):
            self.people.linger(self.ann)
            self.clock.advance(LINGER_SECONDS - 1)
            self.assertIs(now(self.people.resume(self.ann.token)), self.ann)
            self.people.back(self.ann)
        self.clock.advance(LINGER_SECONDS)
        self.assertEqual((self.ann.closed, self.clock.getDelayedCalls()), (0, []))
        self.assertNotIn("free_in", self.refusal(self.people.claim("ann", Somebody(self.people))).facts)

    def test_tokens(self) -> None:
        """A token is nobody else's, can't be guessed from another, and is worth nothing when its person has ended."""
        tokens = {self.come(f"p{number}").token for number in range(100)}
        self.assertEqual((len(tokens), {len(token) for token in tokens}), (100, {24}))
        self.assertIsNone(now(self.people.resume("")))
        self.assertIsNone(now(self.people.resume(self.ann.token[:-1])))
        self.ann.close()
        self.assertIsNone(now(self.people.resume(self.ann.token)))

    def test_closed_meanwhile(self) -> None:
        """Who ends while it is lost leaves no timer."""
        self.people.linger(self.ann)
        self.ann.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.come("ann")

    def test_too_many(self) -> None:
        """Lost sessions do not pile up: past the limit the oldest ends early."""
        lost = [Somebody(self.people) for _ in range(MAX_LINGERING + 2)]
        for somebody in lost:
            self.people.linger(somebody)
        self.assertEqual([somebody.closed for somebody in lost[:3]], [1, 1, 0])
        self.assertEqual(sum(somebody.closed for somebody in lost), 2)
        self.people.stop()

    def test_stop(self) -> None:
        """A server that stops closes nobody any more, and leaves no timer."""
        self.people.linger(self.ann)
        self.people.stop()
        self.clock.advance(2 * LINGER_SECONDS)
        self.assertEqual((self.ann.closed, self.clock.getDelayedCalls()), (0, []))
