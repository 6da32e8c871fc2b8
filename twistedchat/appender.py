"""Appending to a store, whatever it does: an outcome for each draft, known for certain.

A store may fail, raise what it should not, answer for too few, or not know. Knows the store. Must not know
rooms, nor whose lines these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.stores.base import UNKNOWN, Refused, Stored, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from twisted.internet.interfaces import IReactorTime

    from twistedchat.events import Draft
    from twistedchat.stores.base import Outcome, Store

__all__ = ["RETRY_SECONDS", "Appender"]

RETRY_SECONDS = 0.5
"""Delay before a store is asked again what became of lines whose outcome is unknown, in seconds.

Source: docs/architecture.md, "When the store fails"; a lease between nodes lasts 10 s.
"""


class Appender:
    """Appends, and tells the operator when lines begin to be refused, and when they no longer are.

    Args:
        store: Where lines are made durable.
        clock: For delays.
    """

    __slots__ = ("_clock", "_is_failing", "_log", "_store")

    def __init__(self, store: Store, clock: IReactorTime) -> None:
        self._store = store
        self._clock = clock
        self._is_failing = False
        self._log = Logger()

    async def append(self, drafts: Sequence[Draft]) -> Sequence[Outcome]:
        """Append drafts; what became of each is known when this returns, however long that takes."""
        outcomes = await self._ask(self._store.append, drafts)
        # So it nearly always is, and a look at each is a cost of every line.
        if all([type(outcome) is Stored for outcome in outcomes]):  # noqa: C419  half the time of a generator
            self._note(())
            return outcomes
        while UNKNOWN in outcomes:
            await self._pause()
            unknown = [draft for draft, outcome in zip(drafts, outcomes, strict=True) if outcome is UNKNOWN]
            answers = iter(await self._ask(self._store.outcomes, unknown, on_error=UNKNOWN))
            outcomes = [next(answers) if outcome is UNKNOWN else outcome for outcome in outcomes]
        self._note([outcome.error for outcome in outcomes if isinstance(outcome, Refused)])
        return outcomes

    async def _ask(
        self,
        ask: Callable[[Sequence[Draft]], Coroutine[Deferred[Any], Any, Sequence[Outcome]]],
        drafts: Sequence[Draft],
        on_error: Outcome | None = None,
    ) -> Sequence[Outcome]:
        """An answer for each draft: also from a store that fails, or answers for fewer or more."""
        try:
            outcomes = await ask(drafts)
            if len(outcomes) == len(drafts):
                return outcomes
            error = StoreError(f"It answered for {len(outcomes)} lines of {len(drafts)}.")
        except StoreError as fault:
            error = fault
        except Exception as fault:
            self._log.failure("The store failed in a way that it should not")
            error = StoreError(f"It failed ({type(fault).__name__}); the server's log says more.")
        return [on_error or Refused(error)] * len(drafts)

    def _pause(self) -> Deferred[None]:
        pause: Deferred[None] = Deferred()
        self._clock.callLater(RETRY_SECONDS, pause.callback, None)
        return pause

    def _note(self, errors: Sequence[StoreError]) -> None:
        """Tell the operator when lines begin to be refused, and when they no longer are."""
        if errors and not self._is_failing:
            self._log.error("Lines can't be stored, and are refused until they can: {error}", error=errors[0])
        elif self._is_failing and not errors:
            self._log.info("Lines can be stored again.")
        self._is_failing = bool(errors)
