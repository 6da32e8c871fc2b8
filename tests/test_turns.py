from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.turns import TURN_SECONDS, Turns

if TYPE_CHECKING:
    from collections.abc import Iterator


class FanoutTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)
        self.done: list[str] = []

    def work(self, name: str, steps: int, *, seconds: float = 0.0) -> Iterator[None]:
        """So many steps, each of which takes a time."""
        for step in range(steps):
            self.done.append(f"{name}{step}")
            self.clock.rightNow += seconds
            yield

    def test_at_once(self) -> None:
        """Work that is short is done before `add` returns."""
        self.turns.add(self.work("a", 3))
        self.assertEqual(self.done, ["a0", "a1", "a2"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_long_work_lets_others_run(self) -> None:
        """Work that takes longer than a turn goes on in the next turn of the reactor."""
        self.turns.add(self.work("a", 3, seconds=TURN_SECONDS))
        self.assertEqual(self.done, ["a0"])
        self.clock.pump([0, 0, 0])
        self.assertEqual(self.done, ["a0", "a1", "a2"])

    def test_takes_turns(self) -> None:
        """Later work does not wait for the end of earlier work."""
        self.turns.add(self.work("a", 3, seconds=TURN_SECONDS))
        self.turns.add(self.work("b", 1))
        self.clock.pump([0, 0, 0, 0])
        self.assertEqual(self.done, ["a0", "a1", "b0", "a2"])

    def test_added_from_within(self) -> None:
        """Work that is added by work comes in its turn, not in the middle."""

        def adding() -> Iterator[None]:
            self.turns.add(self.work("b", 1))
            self.done.append("a")
            yield

        self.turns.add(adding())
        self.assertEqual(self.done, ["a", "b0"])

    def test_added_for_later(self) -> None:
        """What many bring in one turn of the reactor begins in a later one."""
        for name in "abc":
            self.turns.add_later(self.work(name, 2, seconds=TURN_SECONDS))
        self.assertEqual(self.done, [])
        self.clock.pump([0] * 6)
        self.assertEqual(self.done, ["a0", "b0", "c0", "a1", "b1", "c1"])

    def test_failing_work(self) -> None:
        """Work that fails is logged and given up; the rest is done."""

        def failing() -> Iterator[None]:
            yield
            raise ZeroDivisionError

        self.turns.add(self.work("a", 1, seconds=TURN_SECONDS))
        self.turns.add(failing())
        self.turns.add(self.work("b", 2))
        self.clock.pump([0, 0])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.done, ["a0", "b0", "b1"])
