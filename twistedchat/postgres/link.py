"""A connection to the database that is made, and made again, whenever it is needed; statements wait in a queue for it.

Knows how long a call may take. Must not know what is asked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from twistedchat.postgres.address import parse
from twistedchat.postgres.dialer import Dialer
from twistedchat.postgres.errors import AnswerError, LostError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall

    from twistedchat.postgres.connection import Connection, Parameter, Row
    from twistedchat.postgres.dialer import Reactor

__all__ = ["CALL_SECONDS", "AnswerError", "Link", "LostError"]

CALL_SECONDS = 3.0
"""Time limit for a call, in seconds from asking to the answer, connecting included.

Source: the beat is every 2 s and a lease lasts 10 s: after a connection that fell silent there is time for another.
"""

REDIAL_SECONDS = 0.2
"""Delay before the hosts are tried again after all of them failed, in seconds. Source: chosen; a database that
restarts is back within a second."""

READ_ONLY = "25006"
"""Code of the error of a server that takes no changes, or takes none any more.

Source: PostgreSQL's manual, appendix A, ``read_only_sql_transaction``.
"""


@dataclass(slots=True, eq=False)
class _Call:
    """A statement that waits for its turn or its answer.

    Attributes:
        answer: Fires once; whoever fires it cancels the limit.
        limit: The end of its patience.
    """

    sql: str
    params: tuple[Parameter, ...]
    answer: Deferred[list[Row]]
    limit: IDelayedCall

    def succeed(self, rows: list[Row]) -> None:
        if self.limit.active():
            self.limit.cancel()
            self.answer.callback(rows)

    def fail(self, error: Exception) -> None:
        if self.limit.active():
            self.limit.cancel()
        if not self.answer.called:
            self.answer.errback(error)


class Link:
    """One connection to the database, made when it is needed, and again when it was lost.

    Calls are done one at a time in the order asked. A call whose Deferred is cancelled is done all the same.

    Args:
        reactor: Looks at the socket, and has the time.
        conninfo: A libpq URL; several hosts are tried in turn.
        on_up: Done with each new connection, before any call.
        heard: Called with channel and payload of each NOTIFY; must not raise. With it, a connection that was lost
            is made again at once, call or no call.

    Raises:
        StoreError: The URL is none.
    """

    def __init__(
        self,
        reactor: Reactor,
        conninfo: str,
        *,
        on_up: Callable[[Connection], Coroutine[Deferred[Any], Any, object]] | None = None,
        heard: Callable[[str, str], None] | None = None,
    ) -> None:
        self._reactor = reactor
        self._address = parse(conninfo)
        self._dialer = Dialer(reactor, self._address, on_up)
        self._heard = heard
        self._calls: deque[_Call] = deque()
        self._current: _Call | None = None
        self._connection: Connection | None = None
        self._dialing: Deferred[Connection | None] | None = None
        self._is_working = False
        self._is_closed = False
        self._log = Logger()

    async def call(self, sql: str, *params: Parameter) -> list[Row]:
        """Do one statement, in a transaction of its own.

        Args:
            sql: With ``$1``, ``$2`` …
            params: Their values: bytes are a bytea, all else is text for PostgreSQL to read.

        Returns:
            The rows, each column as PostgreSQL writes it.

        Raises:
            LostError: There was no answer within `CALL_SECONDS`, or no connection: whether it was done is not known.
            AnswerError: The database refused it, and nothing of it was done.
        """
        if self._is_closed:
            raise LostError(f"The connection to the {self._address} is closed.")
        answer: Deferred[list[Row]] = Deferred()
        call = _Call(sql, params, answer, self._reactor.callLater(CALL_SECONDS, lambda: self._expire(call)))
        self._calls.append(call)
        self._start()
        return await answer

    def probe(self) -> None:
        """See to it that there is a connection that answers, before somebody waits for it.

        One that fell silent is otherwise found only by a call that waits for `CALL_SECONDS` in vain. Where something
        is asked anyway, nothing is done.
        """
        if not self._calls and self._current is None and not self._is_closed:
            Deferred.fromCoroutine(self.call("SELECT")).addErrback(lambda failure: failure.trap(LostError))

    def close(self) -> None:
        """End the connection; calls that wait are lost."""
        self._is_closed = True
        # Before anything ends: whoever works for the calls must find none.
        waiting, self._calls = self._calls, deque()
        if self._dialing is not None:
            self._dialing.cancel()
        if self._connection is not None:
            self._connection.close()
        for call in waiting:
            call.fail(LostError(f"The connection to the {self._address} is closed."))

    def _expire(self, call: _Call) -> None:
        """Nobody waits for this call any longer; a connection that is silent is not waited for either."""
        if call is self._current and self._connection is not None:
            connection = self._connection
            call.fail(LostError(f"The {self._address} has not answered for {CALL_SECONDS:g} s."))
            connection.drop()
        else:
            self._calls.remove(call)
            why = self._dialer.fault or f"no connection was made within {CALL_SECONDS:g} s."
            call.fail(LostError(f"The {self._address} can't be reached: {why}"))

    def _start(self) -> None:
        if not self._is_working:
            self._is_working = True
            Deferred.fromCoroutine(self._work()).addErrback(lambda failure: self._log.failure("A link fails", failure))

    async def _work(self) -> None:
        """Connect while there is a reason to, and do the calls."""
        try:
            while self._calls or (self._must_be_up and self._connection is None):
                if self._connection is None:
                    await self._dial()
                elif self._connection.stands():
                    await self._do(self._connection, self._calls.popleft())
        finally:
            self._is_working = False

    @property
    def _must_be_up(self) -> bool:
        return self._heard is not None and not self._is_closed

    async def _dial(self) -> None:
        self._dialing = Deferred.fromCoroutine(self._dialed())
        try:
            connection = await self._dialing
        except CancelledError:
            return
        finally:
            self._dialing = None
        if connection is not None:
            self._connection = connection
            connection.lost = self._lost
            if self._heard is not None:
                connection.heard = self._heard

    async def _dialed(self) -> Connection | None:
        try:
            return await self._dialer.dial()
        except LostError:
            await deferLater(self._reactor, REDIAL_SECONDS)
            return None

    async def _do(self, connection: Connection, call: _Call) -> None:
        self._current = call
        try:
            rows = await connection.call(call.sql, *call.params)
        except Exception as error:
            # Whatever it is, it is the caller's.
            self._current = None
            call.fail(error)
            if isinstance(error, AnswerError) and error.sqlstate == READ_ONLY:
                # Another server is the primary now; the one that worked until now is to be asked for again.
                connection.close()
        else:
            self._current = None
            call.succeed(rows)

    def _lost(self) -> None:
        """The connection has ended."""
        self._connection = None
        if self._must_be_up:
            self._start()
