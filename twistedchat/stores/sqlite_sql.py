"""The SQL of a SQLite store, and how rows are dealt to statements. Knows no connection and no file.

At every step that SQLite makes, its thread lets go of the interpreter's lock and then waits for it: up to
5 ms while the reactor is busy in pure Python. So whatever grows with its input is one statement that takes
one step: an insert of many rows that is its own transaction, a page that comes as one JSON text. Measured
beside a thread that never idles: to insert 1,000 events 9 ms, by ``executemany`` 1,950 ms; to read a page of
500 12 ms, row by row 350 ms.

Every question looks at both tables of events; see `twistedchat.stores.sqlite_schema`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, repeat
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "HEADS",
    "INSERT_EVENTS",
    "INSERT_ROOMS",
    "INSERT_TAIL",
    "KEYS",
    "LAST_TO_MOVE",
    "MAX_INTEGER",
    "MOVE",
    "NEWEST_PAGE",
    "PAGE",
    "PUT_AWAY",
    "SHUT",
    "SHUT_ROOMS",
    "SUMMARIES",
    "SUMMARY",
    "Row",
    "Statement",
    "statements",
]

Row: TypeAlias = "tuple[object, ...]"
Statement: TypeAlias = "tuple[str, list[object] | dict[str, object]]"
"""SQL and its variables."""

MAX_INTEGER = 2**63 - 1
"""Greatest number of SQLite. Source: https://sqlite.org/datatype3.html, "INTEGER"."""

_MAX_ROWS = 1024
"""Most rows of one statement: more make it no faster, and its program no smaller. Source: measured."""


def _both(question: str, part: str) -> str:
    """The question with the part in place of ``{events}`` and ``{tail}``, for the one table and the other."""
    events, tail = (part.replace("{table}", table) for table in ("events", "tail"))
    return question.replace("{events}", events).replace("{tail}", tail)


_INSERT = """INSERT INTO {table} (room, seq, at, kind, who, text, key, tags)
SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"""

INSERT_EVENTS = _INSERT.replace("{table}", "events")

INSERT_TAIL = _INSERT.replace("{table}", "tail")

INSERT_ROOMS = "INSERT INTO rooms (id, name) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"

LAST_TO_MOVE = "SELECT room FROM tail WHERE room > :first ORDER BY room LIMIT 1 OFFSET :events"
"""Up to which room's there are so many events in the tail."""

MOVE = (
    """INSERT INTO events (room, seq, at, kind, who, text, key, tags)
SELECT room, seq, at, kind, who, text, key, tags FROM tail WHERE room > :first AND room <= :last ORDER BY room, seq""",
    "DELETE FROM tail WHERE room > :first AND room <= :last",
)
"""Two statements for one transaction."""

KEYS = _both(
    """WITH asked AS (VALUES {rows})
SELECT json_group_array(json_array(name, key, seq, at, kind, who, text, tags)) FROM ({events} UNION ALL {tail})""",
    """SELECT name, key, seq, at, kind, who, text, tags FROM asked
CROSS JOIN {table} AS line ON line.room = asked.column1 AND key = asked.column2
CROSS JOIN rooms ON rooms.id = line.room""",
)

_TOPIC = _both(
    "(SELECT {what} FROM ({events} UNION ALL {tail} ORDER BY seq DESC LIMIT 1))",
    """SELECT * FROM (SELECT topic.seq, topic.text FROM {table} AS topic INDEXED BY topics_of_{table}
WHERE topic.room = id AND topic.kind = 'topic' AND topic.seq > hidden ORDER BY topic.seq DESC LIMIT 1)""",
).replace("topics_of_events", "topics")

_ROOMS = """SELECT id, name, hidden, {topic} AS topic, {topic_seq} AS topic_seq,
old.seq IS NOT NULL OR new.seq IS NOT NULL AS opened,
max(coalesce(old.seq, 0), coalesce(new.seq, 0)) AS seq,
max(coalesce(old.at, 0), coalesce(new.at, 0)) AS at
FROM rooms
LEFT JOIN events AS old ON old.room = id AND old.seq = (SELECT max(seq) FROM events WHERE room = id)
LEFT JOIN tail AS new ON new.room = id AND new.seq = (SELECT max(seq) FROM tail WHERE room = id)"""

HEADS = "SELECT id, name, hidden, seq, at FROM ({rooms}) ORDER BY id".replace(
    "{rooms}", _ROOMS.replace("{topic}", "''").replace("{topic_seq}", "0")
)

_SUMMED = _ROOMS.replace("{topic}", _TOPIC.replace("{what}", "text")).replace(
    "{topic_seq}", _TOPIC.replace("{what}", "seq")
)

_SUMMARIES = """SELECT json_group_array(json_array(
name, seq, at, coalesce(topic, ''), 0, hidden, coalesce(topic_seq, 0))) FROM (
{rooms} WHERE opened AND {which})""".replace("{rooms}", _SUMMED)

SUMMARIES = _SUMMARIES.replace(
    "{which}", "name > :after AND (old.seq > hidden OR new.seq > hidden) ORDER BY name LIMIT :limit"
)

SUMMARY = _SUMMARIES.replace("{which}", "name = :room")

SHUT_ROOMS = "SELECT name FROM rooms WHERE is_shut"

SHUT = "UPDATE rooms SET is_shut = :is_shut WHERE id = :id"

PUT_AWAY = "UPDATE rooms SET hidden = :seq, is_shut = 0 WHERE id = :id"

_SIZES = _both(
    """WITH sized AS (SELECT seq, row_number() OVER page AS number, sum(bytes) OVER page AS bytes
FROM ({events} UNION ALL {tail} ORDER BY seq LIMIT :limit)
WINDOW page AS (ORDER BY seq ROWS UNBOUNDED PRECEDING)),
fitting AS (SELECT min(seq) AS first, max(seq) AS last FROM sized WHERE number = 1 OR bytes <= :max_bytes)""",
    """SELECT * FROM (SELECT seq, length(CAST(text AS BLOB)) + length(CAST(tags AS BLOB)) AS bytes FROM {table}
WHERE room = (SELECT id FROM rooms WHERE name = :room) AND seq < :before
AND seq > max(:after, (SELECT hidden FROM rooms WHERE name = :room)) ORDER BY seq LIMIT :limit)""",
)

PAGE = _both(
    """{sizes}
SELECT json_group_array(json_array(seq, at, kind, who, text, tags)) FROM ({events} UNION ALL {tail})""",
    """SELECT seq, at, kind, who, text, tags FROM fitting CROSS JOIN {table}
WHERE room = (SELECT id FROM rooms WHERE name = :room) AND seq BETWEEN first AND last""",
).replace("{sizes}", _SIZES)
"""First the sizes, then what fits: 64 KiB out of 500 events of 4 kB take 1.2 ms, as one window over all columns 5.7 ms.
Source: measured."""

NEWEST_PAGE = PAGE.replace("ORDER BY seq", "ORDER BY seq DESC")


def statements(template: str, rows: Sequence[Row], max_variables: int) -> Iterator[Statement]:
    """The rows in as few statements as can be, and of few sizes, so that SQLite finds them prepared.

    Each has room for a power of two of rows; what it does not fill is NULL, which every template passes over.

    Args:
        template: SQL with ``{rows}``.
        rows: All of one width.
        max_variables: What SQLite allows in a statement: 999 before its version 3.32, then 32,766 or more.
    """
    if not rows:
        return
    width = len(rows[0])
    most = min(_MAX_ROWS, 1 << (max_variables // width).bit_length() - 1)
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        size = 1 << (len(part) - 1).bit_length()
        yield _sql(template, width, size), [*chain.from_iterable(part), *repeat(None, width * (size - len(part)))]


@lru_cache
def _sql(template: str, width: int, size: int) -> str:
    row = f"({','.join('?' * width)})"
    return template.format(rows=",".join([row] * size))
