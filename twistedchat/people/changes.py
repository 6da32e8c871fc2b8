"""What happens to the people of this node, told to the database in order: gathered, and told again until it is known.

Knows a queue and one call at a time. Must not know what the changes mean: `postgres/people.sql` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.postgres.errors import AnswerError
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    Op = Sequence[object]
    """A change, as `chat.people` takes it."""
    Call = Callable[[Sequence[Op]], Coroutine[Deferred[Any], Any, Sequence[object] | None]]

__all__ = ["ASK_SECONDS", "GATHER_SECONDS", "MAX_OPS", "RETRY_SECONDS", "Changes"]

GATHER_SECONDS = 0.05
"""Delay in which changes that nobody waits for are gathered into one statement, in seconds.

Source: NODES.md's prototype; presence is told after 0.25 s anyway.
"""

ASK_SECONDS = 3.0
"""Time limit for somebody who waits for a change to be done, in seconds. Source: as `postgres.link.CALL_SECONDS`."""

RETRY_SECONDS = 0.5
"""Delay before changes whose outcome is unknown are told again, in seconds. Source: as `appender.RETRY_SECONDS`."""

MAX_OPS = 500
"""Most changes in one statement. Source: 500 names are claimed in some 40 ms, for which others wait."""

_HOPELESS = {"22", "23", "42", "P0"}
"""Classes of errors that come again however often it is tried: data, constraints, SQL, its functions.

Source: PostgreSQL's manual, appendix A.
"""


_OF_ROOMS = frozenset({"enter", "leave", "amend"})
"""Changes whose first parameter is a room."""


@dataclass(slots=True, eq=False)
class _Change:
    """One change, and who waits for it.

    Attributes:
        was_told: It may have been done, though no answer came.
    """

    op: Op
    answer: Deferred[object] | None = None
    undo: Op | None = None
    was_told: bool = False


class Changes:
    """Tells changes in order, one statement at a time.

    A statement without an answer is told again, so a change may be done twice; each is idempotent.

    Args:
        call: Does changes; gives an answer for each, or None if this node's lease has lapsed.
        clock: For delays.
    """

    __slots__ = ("_call", "_clock", "_flight", "_is_held", "_log", "_most", "_timer", "_waiting")

    def __init__(
        self,
        call: Callable[[Sequence[Op]], Coroutine[Deferred[Any], Any, Sequence[object] | None]],
        clock: IReactorTime,
    ) -> None:
        self._call = call
        self._clock = clock
        self._waiting: list[_Change] = []
        self._flight: Sequence[_Change] = ()
        self._most = MAX_OPS
        self._is_held = False
        self._timer: IDelayedCall | None = None
        self._log = Logger()

    @property
    def is_idle(self) -> bool:
        """Whether all is told."""
        return not self._waiting

    def concerns(self, room: str) -> bool:
        """Whether something about the members, ranks or rules of a room is still to be told."""
        return any(
            len(change.op) > 1 and change.op[1] == room and change.op[0] in _OF_ROOMS for change in self._waiting
        )

    def note(self, *op: object, soon: bool = False) -> None:
        """Tell a change: at once, if somebody may wait for what it gives free."""
        self._waiting.append(_Change(op))
        self._flush_in(0 if soon else GATHER_SECONDS)

    async def ask(self, *op: object, undo: Op | None = None) -> object:
        """Tell a change now.

        Args:
            op: It.
            undo: What takes it back, if nobody waits for the answer any more or there is none, and something does.

        Returns:
            The answer.

        Raises:
            StoreError: It was not done, was taken back, or what became of it is not known.
        """
        change = _Change(op, Deferred(), undo)
        assert change.answer is not None  # noqa: S101  for the type
        self._waiting.append(change)
        self._flush_in(0)
        try:
            return await change.answer.addTimeout(ASK_SECONDS, self._clock, lambda *_: _raise_silent())
        except BaseException:
            self._take_back(change)
            raise

    async def see_to(self, *op: object) -> None:
        """Tell a change now, however long it takes until it is known to be done.

        Raises:
            StoreError: The lease has lapsed before, or it can't be done.
        """
        change = _Change(op, Deferred())
        assert change.answer is not None  # noqa: S101  for the type
        self._waiting.append(change)
        self._flush_in(0)
        await change.answer

    def _take_back(self, change: _Change) -> None:
        change.answer = None
        if change in self._waiting and change not in self._flight:
            self._waiting.remove(change)
        if change.was_told and change.undo is not None:
            self.note(*change.undo)

    def forget(self) -> None:
        """The lease has lapsed: nothing of this is done, and nothing is told before `resume`."""
        self._is_held = True
        waiting, self._waiting = self._waiting, []
        self._flight = ()
        for change in waiting:
            change.undo = None
            if change.answer is not None and not change.answer.called:
                change.answer.errback(StoreError("This node's lease has lapsed."))

    def resume(self) -> None:
        """Tell what has happened since `forget`."""
        self._is_held = False
        if self._waiting:
            self._flush_in(0)

    async def flush(self) -> None:
        """Tell all now, once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._flight:
            await self._tell()

    def close(self) -> None:
        """Tell nothing any more."""
        self._is_held = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush_in(self, seconds: float) -> None:
        if self._flight or self._is_held:
            return
        if self._timer is None:
            self._timer = self._clock.callLater(seconds, self._flush)
        elif self._timer.getTime() > self._clock.seconds() + seconds:
            self._timer.reset(seconds)

    def _flush(self) -> None:
        self._timer = None
        if self._waiting and not self._flight and not self._is_held:
            Deferred.fromCoroutine(self._tell()).addErrback(
                lambda failure: self._log.failure("What happened to people could not be told", failure)
            )

    async def _tell(self) -> None:
        self._flight = batch = self._waiting[: self._most]
        for change in batch:
            change.was_told = True
        delay = 0.0
        try:
            answers = await self._call([change.op for change in batch])
        except StoreError as error:
            delay = RETRY_SECONDS
            if isinstance(error, AnswerError) and error.sqlstate[:2] in _HOPELESS:
                self._blame(batch, error)
        else:
            if answers is not None and self._flight is batch:
                del self._waiting[: len(batch)]
                self._answer(batch, answers)
                if not self._waiting:
                    self._most = MAX_OPS
        if self._flight is batch:
            self._flight = ()
        if self._waiting:
            is_waited_for = any(change.answer is not None for change in self._waiting)
            self._flush_in(delay or (0 if is_waited_for else GATHER_SECONDS))

    def _blame(self, batch: Sequence[_Change], error: StoreError) -> None:
        """One of these can never be done: find it by telling one at a time, and leave it out."""
        self._most = 1
        if len(batch) == 1 and self._flight is batch:
            self._log.error("What happened to somebody can't be told: {error}", error=error)
            [change] = batch
            self._waiting.remove(change)
            self._most = MAX_OPS
            change.undo = None
            if change.answer is not None and not change.answer.called:
                change.answer.errback(error)

    def _answer(self, batch: Sequence[_Change], answers: Sequence[object]) -> None:
        for change, answer in zip(batch, answers, strict=True):
            if change.answer is not None and not change.answer.called:
                change.answer.callback(answer)


def _raise_silent() -> object:
    raise StoreError(f"The database has not answered for {ASK_SECONDS:g} s.")
