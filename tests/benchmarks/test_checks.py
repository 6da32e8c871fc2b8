from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.checks import Verdict, judge, percentile


def test_all_lines_once_in_each_senders_order_is_right() -> None:
    """Lines of different senders may come in any order."""
    assert judge([1, 0, 2, 3], total=4, senders=2) == Verdict()


def test_lost_doubled_and_reordered_lines_are_counted() -> None:
    """Each kind of wrong is told apart."""
    assert judge([0, 2], total=3, senders=1) == Verdict(lost=1)
    assert judge([0, 1, 1, 2], total=3, senders=1) == Verdict(doubled=1)
    assert judge([0, 2, 1], total=3, senders=1) == Verdict(reordered=1)


@given(st.permutations(range(12)), st.integers(1, 4))
def test_any_other_order_within_a_sender_is_found(received: list[int], senders: int) -> None:
    """Nothing is reordered exactly when each sender's lines ascend."""
    ascending = all(own == sorted(own) for own in ([n for n in received if n % senders == s] for s in range(senders)))
    assert (judge(received, 12, senders) == Verdict()) == ascending


def test_lines_of_an_ignored_sender_are_not_missed() -> None:
    """They are not lost, nor out of order; one that comes all the same is one too many."""
    assert judge([0, 2, 4], total=6, senders=2, ignored=1) == Verdict()
    assert judge([0, 4], total=6, senders=2, ignored=1) == Verdict(lost=1)
    assert judge([0, 2, 3, 4], total=6, senders=2, ignored=1) == Verdict(doubled=1)


def test_a_percentile_is_one_of_the_samples() -> None:
    """The nearest rank; NaN for nothing."""
    samples = [float(n) for n in range(100)]
    assert percentile(samples, 0.5) == 50
    assert percentile(samples, 0.99) == 99
    assert percentile(samples, 1) == 99
    assert math.isnan(percentile([], 0.5))
