from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.people.asking import UNKNOWN
from twistedchat.people.faces import Roll
from twistedchat.people.moves import TRIES, Moves

if TYPE_CHECKING:
    from collections.abc import Sequence


class Slow:
    """Rosters whose answers are on their way until the test lets them arrive."""

    def __init__(self) -> None:
        self.asked: list[Deferred[Sequence[Roll]]] = []

    async def roster(self, rooms: Sequence[str]) -> Sequence[Roll]:
        answer: Deferred[Sequence[Roll]] = Deferred()
        self.asked.append(answer)
        return await answer

    def arrive(self, *names: str) -> None:
        """The last answer arrives: who is in #lobby."""
        self.asked.pop().callback([Roll("lobby", 7, dict.fromkeys(names, UNKNOWN))])


class MovesTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.source = Slow()
        self.moves = Moves(self.source)
        self.read = Deferred.fromCoroutine(self.moves.roster(["lobby"]))

    def expect(self, *names: str) -> None:
        """These are in #lobby."""
        self.assertEqual(self.successResultOf(self.read), [Roll("lobby", 7, dict.fromkeys(names, UNKNOWN))])

    def test_nobody_moves(self) -> None:
        """What was read is what is."""
        self.source.arrive("bob", "ann")
        self.expect("ann", "bob")

    def test_gone_while_reading(self) -> None:
        """Who goes on at another node while rosters are read may lack in them: they are read again."""
        self.moves.gone("bob")
        self.source.arrive("ann")
        self.assertNoResult(self.read)
        self.source.arrive("ann", "bob")
        self.expect("ann", "bob")

    def test_coming_while_reading(self) -> None:
        """Who is on the way here counts as in the room, though the database has it at this node already."""
        self.moves.begin()
        self.source.arrive("ann")
        self.moves.arrived("bob", ["lobby", "tea"], UNKNOWN)
        self.assertNoResult(self.read)
        self.moves.end()
        self.assertTrue(self.moves.is_idle)
        self.source.arrive("ann")
        self.expect("ann", "bob")

    def test_leaves_afterwards(self) -> None:
        """Who has come, and leaves, is not there any more; nor is who is nobody's any more."""
        self.moves.arrived("bob", ["lobby"], UNKNOWN)
        self.moves.arrived("carol", ["lobby"], UNKNOWN)
        self.moves.left("bob", "lobby")
        self.moves.left("dan", "lobby")
        self.source.arrive("ann")
        self.expect("ann", "carol")
        self.moves.gone("carol")
        self.read = Deferred.fromCoroutine(self.moves.roster(["lobby"]))
        self.source.arrive("ann")
        self.expect("ann")

    def test_always_somebody_goes(self) -> None:
        """It is not tried for ever."""
        for _ in range(TRIES):
            self.moves.gone("bob")
            self.source.arrive()
        self.source.arrive("ann")
        self.expect("ann")
