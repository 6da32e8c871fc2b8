from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.limits import TokenBucket

PAUSES = st.lists(st.floats(0, 10), max_size=50)


class TokenBucketTests(SynchronousTestCase):
    def test_burst_then_wait(self) -> None:
        """After the burst it says how long the next token takes, and takes none."""
        bucket = TokenBucket(rate=4, burst=3, now=100)
        self.assertEqual([bucket.take(100) for _ in range(5)], [0, 0, 0, 0.25, 0.25])

    def test_refills(self) -> None:
        """A token is there as soon as the time that was said has passed."""
        bucket = TokenBucket(rate=4, burst=1, now=100)
        bucket.take(100)
        self.assertEqual([bucket.take(100.125), bucket.take(100.25)], [0.125, 0])

    def test_idling_saves_no_more_than_the_burst(self) -> None:
        """However long it was quiet, the burst is all that comes at once."""
        bucket = TokenBucket(rate=4, burst=3, now=100)
        self.assertEqual([bucket.take(10_000) for _ in range(4)], [0, 0, 0, 0.25])

    def test_clock_set_back(self) -> None:
        """A clock that is set back neither gives tokens nor takes any, and it refills from there."""
        bucket = TokenBucket(rate=1, burst=2, now=100)
        self.assertEqual([bucket.take(100), bucket.take(50), bucket.take(50), bucket.take(51)], [0, 0, 1, 0])

    @given(st.floats(0.5, 100), st.integers(1, 20), PAUSES)
    def test_never_more_than_the_rate(self, rate: float, burst: int, pauses: list[float]) -> None:
        """Whenever one asks, no more come through than the burst and the rate allow, and it is never mute."""
        bucket = TokenBucket(rate, burst, 0)
        now, taken = 0.0, 0
        for pause in pauses:
            now += pause
            wait = bucket.take(now)
            taken += not wait
            self.assertLessEqual(taken, burst + now * rate + 1e-6)
            self.assertLessEqual(wait, 1 / rate)

    @given(st.floats(0.5, 100), st.integers(1, 20))
    def test_never_less_than_the_rate(self, rate: float, burst: int) -> None:
        """Whoever asks again after the time that was said gets at least the rate."""
        bucket = TokenBucket(rate, burst, 0)
        now, taken = 0.0, 0
        for _ in range(200):
            wait = bucket.take(now)
            taken += not wait
            now += wait
        self.assertGreaterEqual(taken + 1e-6, now * rate)
