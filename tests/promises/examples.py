"""Which examples the long runs of the promises are made of.

They are the same on every run, whatever is added to the project, so that a failure is a change in the code:

- Each machine has a seed of its own. Hypothesis's ``derandomize`` takes one from the text of the test's function.
- Nothing is drawn from the numbers that stand in the project's files. Hypothesis's own backend reads every
  module that is loaded for numbers and words to try, so another file means other examples. Source:
  ``hypothesis.internal.conjecture.providers``, ``_get_local_constants``; tried by `tests.promises.test_examples`.

By hand, many more and others each time, which are printed so that they can be run again::

    PROMISE_EXAMPLES=5000 pytest tests/promises -k any_clients
    PROMISE_EXAMPLES=5000 PROMISE_SEED=4711 pytest tests/promises -k any_clients
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

__all__ = ["EXAMPLES", "FIXED", "SEED", "run"]

EXAMPLES = 100
"""Examples of one machine in a usual run, about 3 s; ``PROMISE_EXAMPLES`` asks for more."""

SEED = 6622
"""Seed of all machines in a usual run, to which each adds its name."""


class FixedPool(HypothesisProvider):
    """Hypothesis's own way to draw, without the numbers that stand in the project's files."""

    _local_constants = Constants()


AVAILABLE_PROVIDERS["fixed-pool"] = f"{__name__}.FixedPool"

FIXED = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    backend="fixed-pool",
)
"""How the machines are run."""


def run(machine: type[RuleBasedStateMachine]) -> None:
    """Run a machine, for as many examples as the environment says, from the seed that it says."""
    asked = os.environ.get("PROMISE_EXAMPLES")
    chosen = os.environ.get("PROMISE_SEED") or (random.SystemRandom().randrange(10**6) if asked else SEED)
    if asked:
        print(f"{machine.__name__}: PROMISE_EXAMPLES={asked} PROMISE_SEED={chosen}")
    seed(f"{machine.__name__} {chosen}")(machine)
    run_state_machine_as_test(machine, settings=settings(FIXED, max_examples=int(asked or EXAMPLES)))
