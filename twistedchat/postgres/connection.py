"""One connection to the database that stands: a statement at a time, its rows, and what it is notified of.

Knows libpq, driven on the reactor. Must not know how connections come to be, nor time limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from psycopg import OperationalError, pq
from twisted.internet.defer import Deferred

from twistedchat.postgres.errors import AnswerError, LostError
from twistedchat.postgres.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.pq.abc import PGconn, PGresult
    from twisted.internet.interfaces import IReactorFDSet

__all__ = ["Connection", "Parameter", "Row"]

Parameter: TypeAlias = "str | bytes | None"
"""A value of a statement: bytes are a bytea, all else is text for PostgreSQL to read."""

Row: TypeAlias = "tuple[str | None, ...]"

_FATAL = {b"FATAL", b"PANIC"}
"""Severities of an error with which the server ends the connection. Source: PostgreSQL's manual, "Message Severity"."""

USES_UNPREPARED = 3
"""Uses of a statement on a connection before it is prepared there, which is a round trip more, once. Source: chosen."""

_FINE = {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY}


class Connection:
    """A connection that stands.

    Args:
        reactor: Looks at its socket.
        pgconn: libpq's; it is connected, and belongs to this object from now on.
        label: What it is connected to, for sentences.

    Attributes:
        lost: Called once when it ends by itself; to be set by whoever uses it.
        heard: Called with channel and payload of each notification.
    """

    def __init__(self, reactor: IReactorFDSet, pgconn: PGconn, label: str) -> None:
        self.lost: Callable[[], None] = _nobody
        self.heard: Callable[[str, str], None] = _nobody
        self._pgconn = pgconn
        self._label = label
        self._answer: Deferred[list[PGresult]] | None = None
        self._results: list[PGresult] = []
        self._uses: dict[str, int] = {}
        self._names: dict[str, bytes] = {}
        self._is_flushing = False
        self._is_over = False
        pgconn.nonblocking = 1
        self._wire = Wire(reactor, pgconn.socket, self._ready)
        self._wire.read()

    async def call(self, sql: str, *params: Parameter) -> list[Row]:
        """Do one statement; the one before must have been answered.

        Args:
            sql: With ``$1``, ``$2`` …
            params: Their values.

        Raises:
            LostError: The connection was lost; whether it was done is not known.
            AnswerError: It was refused.
        """
        values = [value.encode() if isinstance(value, str) else value for value in params]
        formats = [pq.Format.BINARY if isinstance(value, bytes) else pq.Format.TEXT for value in params]
        name = await self._prepared(sql)
        if name:
            return self._rows(
                await self._ask(lambda: self._pgconn.send_query_prepared(name, values, param_formats=formats))
            )
        return self._rows(
            await self._ask(lambda: self._pgconn.send_query_params(sql.encode(), values, param_formats=formats))
        )

    async def _prepared(self, sql: str) -> bytes:
        """The name of a statement that is often done, and so need not be read and planned each time; b"" for others."""
        if sql in self._names:
            return self._names[sql]
        self._uses[sql] = self._uses.get(sql, 0) + 1
        if self._uses[sql] <= USES_UNPREPARED:
            return b""
        name = self._names[sql] = b"s%d" % len(self._names)
        self._rows(await self._ask(lambda: self._pgconn.send_prepare(name, sql.encode())))
        return name

    async def script(self, sql: str) -> None:
        """Do several statements, parted by semicolons.

        Raises:
            LostError: As for `call`.
            AnswerError: One was refused, and those behind it were not done.
        """
        for result in await self._ask(lambda: self._pgconn.send_query(sql.encode())):
            if result.status not in _FINE:
                raise self._error(result, is_first=True)

    def stands(self) -> bool:
        """Whether it has not ended, as far as can be known: looks at what has arrived, and takes it in."""
        # Twice: first comes the server's last word, then the end.
        for _ in range(2):
            if not self._is_over:
                self._ready()
        return not self._is_over

    def drop(self) -> None:
        """End it at once, without a word to the peer, who may be silent. A call under way is lost."""
        if not self._is_over:
            self._wire.cut()
            self._end("its time limit has passed")

    def close(self) -> None:
        """Say goodbye and end it."""
        self._end("it was closed")

    async def _ask(self, send: Callable[[], None]) -> list[PGresult]:
        if self._is_over:
            raise LostError(f"The connection to the {self._label} was lost before.")
        answer: Deferred[list[PGresult]] = Deferred()
        self._answer = answer
        try:
            send()
            self._flush()
        except OperationalError:
            self._end(self._fault())
        return await answer

    def _ready(self) -> None:
        """The socket can be read, or written where that is waited for."""
        try:
            # In this order: the server may take no more before we have read what it said.
            self._pgconn.consume_input()
            if self._is_flushing:
                self._flush()
            self._collect()
            notifications = self._notifications()
        except OperationalError:
            self._end(self._fault())
            return
        for channel, payload in notifications:
            self.heard(channel, payload)

    def _flush(self) -> None:
        self._is_flushing = bool(self._pgconn.flush())
        self._wire.write(wanted=self._is_flushing)

    def _collect(self) -> None:
        """Take what has been answered.

        A function's row comes before its commit, and the commit may still fail: the answer is complete only
        when the server is ready for the next statement, and libpq has no more results.
        """
        while self._answer is not None and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is not None:
                self._results.append(result)
                continue
            answer, self._answer = self._answer, None
            results, self._results = self._results, []
            answer.callback(results)

    def _notifications(self) -> list[tuple[str, str]]:
        """What others have told. Taken before anybody is called, who may end the connection."""
        found = []
        while not self._is_over and (notification := self._pgconn.notifies()):
            found.append((notification.relname.decode(), notification.extra.decode()))
        return found

    def _rows(self, results: Sequence[PGresult]) -> list[Row]:
        rows: list[Row] = []
        for number, result in enumerate(results):
            if result.status not in _FINE:
                raise self._error(result, is_first=number == 0)
            rows += _texts(result)
        return rows

    def _error(self, result: PGresult, *, is_first: bool) -> LostError | AnswerError:
        """What a result that is an error means.

        FATAL may come after a commit, and so may what comes behind a row: these leave open whether it stands.
        """
        field = pq.DiagnosticField
        message = (result.error_field(field.MESSAGE_PRIMARY) or b"no reason").decode(errors="replace")
        sqlstate = (result.error_field(field.SQLSTATE) or b"?????").decode()
        sentence = f"The {self._label} answers: {message} ({sqlstate})."
        if is_first and result.error_field(field.SEVERITY_NONLOCALIZED) not in _FATAL:
            return AnswerError(sentence, sqlstate)
        return LostError(sentence)

    def _fault(self) -> str:
        """Why libpq gives up: the first line of what it says, which is the server's last word if there was one."""
        lines = self._pgconn.error_message.decode(errors="replace").splitlines()
        return lines[0] if lines else "no reason is known"

    def _end(self, why: str) -> None:
        """It is over. The owner learns it before whoever waits for an answer, and may ask again at once."""
        if self._is_over:
            return
        self._is_over = True
        self._wire.close()
        self._pgconn.finish()
        answer, self._answer = self._answer, None
        self.lost()
        if answer is not None:
            answer.errback(LostError(f"The connection to the {self._label} was lost: {why}."))


def _nobody(*_: object) -> None:
    pass


def _texts(result: PGresult) -> list[Row]:
    """The rows of a result in text format."""
    columns = range(result.nfields)
    return [
        tuple([None if (value := result.get_value(row, column)) is None else value.decode() for column in columns])
        for row in range(result.ntuples)
    ]
