"""A PostgreSQL database that is moved from, or to, with COPY. One transaction, one connection, no reactor."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

import psycopg
from psycopg import pq
from twisted.internet.defer import Deferred

from twistedchat.admin.rows import Room, Tally
from twistedchat.names import likenesses
from twistedchat.postgres.address import parse
from twistedchat.postgres.codec import NUL, named, readable, unnamed
from twistedchat.postgres.errors import AnswerError
from twistedchat.postgres.schema import STEPS, prepare
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from twistedchat.admin.rows import Line
    from twistedchat.postgres.address import Address
    from twistedchat.postgres.connection import Connection, Parameter, Row

__all__ = ["PostgresSource", "PostgresTarget", "open_source", "open_target"]

_COLUMNS = "room, seq, at, kind, who, text, raw, key, tags"

_TYPES = ["int8", "int8", "int8", "text", "text", "text", "bytea", "text", "text"]

_TALLIES = """SELECT name, count(*), count(key), max(events.seq), max(events.at)
FROM chat.events JOIN chat.rooms ON rooms.id = room GROUP BY name"""

_LIVE_NODES = "SELECT count(*) FROM chat.nodes WHERE until > extract(epoch FROM clock_timestamp()) * 1000"


@contextlib.contextmanager
def open_source(url: str) -> Iterator[PostgresSource]:
    """A database to move from, as it stands now; daemons may go on with it.

    Raises:
        StoreError: It can't be reached, or there is no log in it.
    """
    address = parse(url)
    with _told(address), _connected(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield PostgresSource(connection, _identity(address, connection))


@contextlib.contextmanager
def open_target(url: str) -> Iterator[PostgresTarget]:
    """A database to move to; its tables are made if they are not there.

    Raises:
        StoreError: It can't be used, a daemon runs on it, or it has events already.
    """
    address = parse(url)
    with _told(address), _connected(url) as connection:
        connection.autocommit = True
        _prepare(connection)
        connection.autocommit = False
        yield PostgresTarget(connection, address)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    """A connection that is rolled back in the end, unless it was committed; without the time limits of a daemon's."""
    with contextlib.closing(psycopg.connect(url, application_name="chatroom-admin", client_encoding="UTF8")) as found:
        found.execute("SELECT set_config('statement_timeout', '0', false)")
        found.commit()
        yield found


@contextlib.contextmanager
def _told(address: Address) -> Iterator[None]:
    """Turn what the database and libpq raise within it into one sentence, without a password.

    Raises:
        StoreError: They raised something.
    """
    try:
        yield
    except psycopg.Error as error:
        reason = " ".join(address.hidden(str(error)).split())
        raise StoreError(f"The {address}: {reason}") from error


def _identity(address: Address, connection: psycopg.Connection) -> str:
    [(table,)] = connection.execute("SELECT to_regclass('chat.version')")
    if table is None:
        raise StoreError(f"There is no chat room's log in the {address}.")
    [(version, identity)] = connection.execute("SELECT version, identity FROM chat.version")
    if version != len(STEPS):
        raise StoreError(
            f"The log in the {address} is of version {version}, and this program's is {len(STEPS)}: "
            "use the twistedchat that its daemons use, or start this one's daemon on it once."
        )
    return str(identity)


class _Blocking:
    """A connection as `prepare` wants it, which answers at once."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._pgconn = connection.pgconn

    async def call(self, sql: str, *params: Parameter) -> list[Row]:
        values = [value.encode() if isinstance(value, str) else value for value in params]
        result = self._checked(self._pgconn.exec_params(sql.encode(), values))
        return [
            tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
            for row in range(result.ntuples)
        ]

    async def script(self, sql: str) -> None:
        self._checked(self._pgconn.exec_(sql.encode()))

    @staticmethod
    def _checked(result: Any) -> Any:
        if result.status in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY}:
            return result
        message = _text(result.error_message) or ""
        sqlstate = _text(result.error_field(pq.DiagnosticField.SQLSTATE)) or ""
        raise AnswerError(f"The database refuses: {message.partition(chr(10))[0]}", sqlstate)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _prepare(connection: psycopg.Connection) -> None:
    outcome: list[object] = []
    preparing = Deferred.fromCoroutine(prepare(cast("Connection", _Blocking(connection))))
    preparing.addErrback(lambda failure: outcome.append(failure.value))
    for error in outcome:
        raise cast("Exception", error)


class PostgresSource:
    """A database that is read, all of it as it stood at one moment.

    Attributes:
        identity: The log's.
    """

    def __init__(self, connection: psycopg.Connection, identity: str) -> None:
        self.identity = identity
        self._connection = connection

    def is_in_use(self) -> bool:
        """Whether a daemon runs on it."""
        [(nodes,)] = self._connection.execute(_LIVE_NODES)
        return bool(nodes)

    def rooms(self) -> Sequence[Room]:
        """As `Source.rooms`."""
        return [
            Room(number, unnamed(name), seq, at, topic, hidden)
            for number, name, seq, at, topic, hidden in self._connection.execute(
                "SELECT id, name, seq, at, topic, hidden FROM chat.rooms WHERE seq > 0 ORDER BY id"
            )
        ]

    def lines(self) -> Iterator[Line]:
        """As `Source.lines`."""
        everything = f"COPY (SELECT {_COLUMNS} FROM chat.events ORDER BY room, seq) TO STDOUT (FORMAT BINARY)"  # noqa: S608  no input
        with psycopg.Cursor(self._connection) as asking, asking.copy(everything) as copy:
            copy.set_types(_TYPES)
            for room, seq, at, kind, who, text, raw, key, tags in copy.rows():
                sent = text if raw is None else raw.decode()
                yield (
                    room,
                    seq,
                    at,
                    kind,
                    unnamed(who),
                    sent,
                    None if key is None else unnamed(key),
                    unnamed(tags or ""),
                )


class PostgresTarget:
    """A database that is filled, in one transaction."""

    def __init__(self, connection: psycopg.Connection, address: Address) -> None:
        self._connection = connection
        self._address = address

    def fill(self, identity: str, rooms: Sequence[Room], lines: Iterable[Line]) -> None:
        """As `Target.fill`."""
        self._keep_others_off()
        self._connection.execute("DELETE FROM chat.alike")
        self._connection.execute("DELETE FROM chat.rooms")
        numbers = self._make(rooms)
        with self._copy(f"chat.events ({_COLUMNS})") as copy:
            for room, seq, at, kind, who, text, key, tags in lines:
                raw = text.encode() if NUL in text else None
                key = None if key is None else named(key)  # noqa: PLW2901  a row for each line, and millions of them
                copy.write_row(
                    (numbers[room], seq, at, kind, named(who), readable(text), raw, key, named(tags) or None)
                )
        self._connection.execute("UPDATE chat.version SET identity = %s", (identity,))

    def _keep_others_off(self) -> None:
        """Let no daemon write, and see that there is none, and nothing to lose."""
        self._connection.execute("LOCK TABLE chat.nodes, chat.rooms, chat.events IN EXCLUSIVE MODE")
        [(events,)] = self._connection.execute("SELECT count(*) FROM chat.events")
        if events:
            raise StoreError(f"The {self._address} has {events:,} events already: name one that is empty.")
        [(nodes,)] = self._connection.execute(_LIVE_NODES)
        if nodes:
            raise StoreError(
                f"A daemon runs on the {self._address}, or has been killed in the last 10 seconds: "
                "stop it, and try again then."
            )

    def _make(self, rooms: Sequence[Room]) -> dict[int, int]:
        """Make the rooms; returns the number here for each number there."""
        with self._copy("chat.rooms (name, seq, at, topic, hidden)") as copy:
            for room in rooms:
                copy.write_row((named(room.name), room.seq, room.at, room.topic, room.hidden))
        made = self._connection.execute("SELECT name, id FROM chat.rooms")
        here: dict[str, int] = {unnamed(name): number for name, number in made}
        # Of two rooms that look alike the first one counts.
        alike: dict[str, int] = {}
        for room in rooms:
            if alike.keys().isdisjoint(keys := likenesses(room.name)):
                alike.update(dict.fromkeys(keys, here[room.name]))
        with self._copy("chat.alike (likeness, room)") as copy:
            for key, number in alike.items():
                copy.write_row((named(key), number))
        return {room.number: here[room.name] for room in rooms}

    @contextlib.contextmanager
    def _copy(self, into: str) -> Iterator[psycopg.Copy]:
        with psycopg.Cursor(self._connection) as filling, filling.copy(f"COPY {into} FROM STDIN") as copy:
            yield copy

    def tallies(self) -> dict[str, Tally]:
        """As `Target.tallies`."""
        return {unnamed(name): Tally(*counts) for name, *counts in self._connection.execute(_TALLIES)}

    def commit(self) -> None:
        """As `Target.commit`; then let the database count its rows, so that it plans well from the start."""
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("ANALYZE chat.rooms, chat.events")
