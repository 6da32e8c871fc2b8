from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.memory import MIN_GONE, TRIM_SECONDS, Trimmer


class TrimmerTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.clock = Clock()
        self.trims = 0
        self.trimmer = Trimmer(self.clock, self._trim)

    def _trim(self) -> None:
        self.trims += 1

    def _go(self, count: int) -> None:
        for _ in range(count):
            self.trimmer.connection_gone()

    def test_once_for_many(self) -> None:
        """When many connections have gone, memory is given back once, a moment later."""
        self._go(10 * MIN_GONE)
        self.assertEqual(self.trims, 0)
        self.clock.advance(TRIM_SECONDS)
        self.clock.advance(10 * TRIM_SECONDS)
        self.assertEqual(self.trims, 1)

    def test_few(self) -> None:
        """For a few connections it is not worth it; they count when more have gone."""
        self._go(MIN_GONE - 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self._go(1)
        self.clock.advance(TRIM_SECONDS)
        self.assertEqual(self.trims, 1)

    def test_on_this_machine(self) -> None:
        """Whatever the C library is, giving memory back raises nothing."""
        trimmer = Trimmer(self.clock)
        for _ in range(MIN_GONE):
            trimmer.connection_gone()
        self.clock.advance(TRIM_SECONDS)
        self.assertEqual(self.clock.getDelayedCalls(), [])
