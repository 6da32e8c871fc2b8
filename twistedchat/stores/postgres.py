"""The store in a PostgreSQL database that several nodes share.

Knows batches, their outcomes, and what becomes of them when the connection is lost. Must not know names of people,
nor how a connection comes to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from twistedchat.events import Event, Kind
from twistedchat.names import likenesses
from twistedchat.postgres.batch import NOTHING, Batch, Standing
from twistedchat.postgres.codec import array, named, numbers, said, unnamed
from twistedchat.postgres.errors import AnswerError, LostError
from twistedchat.postgres.link import READ_ONLY
from twistedchat.stores.base import (
    ROOMS_PER_PAGE,
    UNKNOWN,
    DamagedError,
    Refused,
    RoomSummary,
    Store,
    Stored,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twistedchat.events import Draft
    from twistedchat.postgres.connection import Row
    from twistedchat.postgres.database import Database
    from twistedchat.stores.base import Outcome

__all__ = ["PostgresStore"]

_LOG = "log"
"""Kind under which nodes tell each other of new heads. Source: log.sql."""

_MAX_INTEGER = 2**63 - 1
"""Greatest number of a bigint. Source: PostgreSQL's manual, "Numeric Types"."""

_NO_ROOM = "CH001"
"""Code of the error when a room is not there. Source: log.sql."""

_PASSING = {"55P03", "57014", "40P01", "40001"}
"""Codes of errors that say that somebody else was in the way, or it took too long: another time it may be done.

Source: PostgreSQL's manual, appendix A.
"""

_TRIES = 3
"""Most times that a batch is sent for one call. Source: once more for rooms that are new, once for a new primary."""

_APPEND = "SELECT chat.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"

_LINES = """SELECT asked.place, events.seq, events.at, events.kind, events.who, events.text, encode(events.raw, 'hex'),
events.tags
FROM unnest($1::text[], $2::{type}[]) WITH ORDINALITY AS asked (room, {column}, place)
JOIN chat.rooms ON rooms.name = asked.room
JOIN chat.events ON events.room = rooms.id AND events.{column} = asked.{column}"""

_BY_KEY = _LINES.replace("{column}", "key").replace("{type}", "text")

_BY_SEQ = _LINES.replace("{column}", "seq").replace("{type}", "bigint")

_PAGE = "SELECT seq, at, kind, who, text, raw, tags FROM chat.page($1, $2, $3, $4, $5, $6)"

_SUMMARIES = """SELECT rooms.name, rooms.seq, rooms.at, topics.text, encode(topics.raw, 'hex'),
chat.others_in($1, rooms.name), rooms.hidden, topics.seq
FROM chat.rooms LEFT JOIN chat.events AS topics ON topics.room = rooms.id AND topics.seq = rooms.topic
AND topics.seq > rooms.hidden
WHERE {which}"""

_ROOM = _SUMMARIES.replace("{which}", "rooms.id = chat.counts_as($2)")

_OPENED = (
    "SELECT opened.*, chat.hidden_of(opened.name), chat.topic_of(opened.name) FROM chat.opened($1, $2, $3) AS opened"
)

_ROOMS = _SUMMARIES.replace(
    "{which}",
    """rooms.name > $2 AND NOT EXISTS (SELECT FROM chat.rules WHERE rules.room = rooms.name AND rules.letter = 's')
AND (rooms.seq > rooms.hidden OR EXISTS (SELECT FROM chat.here WHERE here.room = rooms.name))
ORDER BY rooms.name LIMIT $3""",
)


class PostgresStore(Store):
    """Keeps the logs in a database, beside other nodes.

    Args:
        database: This node's place in it; opened and closed with the store.

    Attributes:
        database: As given.
    """

    def __init__(self, database: Database) -> None:
        self.identity = ""
        self.database = database
        self._number = 0
        self._unknown: Batch | None = None
        self._heard: Callable[[str, int], None] | None = None
        database.listen(_LOG, self._told)

    @override
    async def open(self) -> None:
        await self.database.open()
        self.identity = self.database.identity
        await self.database.append.call("SELECT chat.end_deserted()")

    @override
    async def append(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        self._number += 1
        asked = Batch(self._number, batch)
        try:
            answer = await self._append(asked)
        except LostError:
            return self._not_known(asked)
        except AnswerError as error:
            if error.sqlstate in _PASSING:
                return self._not_known(asked)
            raise
        return await self._outcomes(asked, answer)

    @override
    async def outcomes(self, batch: Sequence[Draft]) -> Sequence[Outcome]:
        asked = self._unknown
        ids = {draft.id: number for number, draft in enumerate(asked.drafts)} if asked else {}
        if asked is None or not all(draft.id in ids for draft in batch):
            return await self._by_key(batch)
        try:
            answer = await self._append_again(asked)
        except StoreError:
            return [UNKNOWN] * len(batch)
        outcomes = await self._outcomes(asked, answer)
        return [outcomes[ids[draft.id]] for draft in batch]

    @override
    async def read(
        self,
        room: str,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int,
        max_bytes: int | None = None,
    ) -> Sequence[Event]:
        rows = await self.database.read.call(
            _PAGE,
            named(room),
            str(0 if after is None else _storable(after)),
            str(_MAX_INTEGER if before is None else _storable(before)),
            str(limit),
            str(_MAX_INTEGER if max_bytes is None else max_bytes),
            str(after is None),
        )
        return [_event(room, row) for row in rows]

    @override
    async def room(self, name: str) -> RoomSummary:
        keys = array([named(key) for key in likenesses(name)])
        rows = await self.database.read.call(_ROOM, self.database.node, keys)
        return _summary(rows[0]) if rows else RoomSummary(name, 0, 0, "")

    @override
    async def open_room(self, name: str) -> RoomSummary:
        keys = array([named(key) for key in likenesses(name)])
        rows = await self.database.read.call(_OPENED, self.database.node, named(name), keys)
        return _summary(rows[0]) if rows else RoomSummary(name, 0, 0, "")

    @override
    async def rooms(self, after: str = "", limit: int = ROOMS_PER_PAGE) -> Sequence[RoomSummary]:
        rows = await self.database.read.call(_ROOMS, self.database.node, named(after), str(limit))
        return [_summary(row) for row in rows]

    @override
    async def shut(self, room: str, *, is_shut: bool) -> None:
        await self.database.append.call("UPDATE chat.rooms SET is_shut = $2 WHERE name = $1", named(room), str(is_shut))

    @override
    async def put_away(self, room: str) -> None:
        await self.database.append.call("SELECT chat.end_room($1, $2)", self.database.node, named(room))

    @override
    def follow(self, heard: Callable[[str, int], None]) -> None:
        self._heard = heard

    @override
    async def close(self) -> None:
        await self.database.close()

    async def _append(self, batch: Batch) -> str:
        """The answer to a batch.

        Raises:
            LostError: What became of it is not known.
            AnswerError: This was not done; an earlier try of the same batch may have been.
        """
        if batch.is_empty:
            return NOTHING
        for _ in range(_TRIES - 1):
            try:
                return await self._append_once(batch)
            except AnswerError as error:
                if error.sqlstate == _NO_ROOM:
                    await self.database.append.call("SELECT chat.make_rooms($1, $2, $3)", *batch.rooms())
                elif error.sqlstate != READ_ONLY:
                    raise
        return await self._append_once(batch)

    async def _append_once(self, batch: Batch) -> str:
        ((answer,),) = await self.database.append.call(_APPEND, self.database.node, *batch.parameters())
        return answer or ""

    async def _append_again(self, batch: Batch) -> str:
        """The answer to a batch whose first try may still be on its way.

        An error says nothing about that one; but a batch that is burned will not be stored by it either.
        """
        try:
            return await self._append(batch)
        except AnswerError as error:
            if error.sqlstate in _PASSING:
                raise
            node, number = self.database.node, str(batch.number)
            ((answer,),) = await self.database.append.call("SELECT chat.burn($1, $2)", node, number)
            return answer or ""

    def _not_known(self, batch: Batch) -> Sequence[Outcome]:
        self._unknown = batch
        return [UNKNOWN] * len(batch.drafts)

    async def _outcomes(self, batch: Batch, answer: str) -> Sequence[Outcome]:
        """What an answer means, with the lines that stood before, if they are others than those that were sent."""
        fates = batch.fates(answer)
        standing = [fate for fate in fates if isinstance(fate, Standing)]
        if standing:
            try:
                events = await self._standing(standing)
            except StoreError:
                # The batch stands, and can be asked about again.
                return self._not_known(batch)
        else:
            events = {}
        self._unknown = None
        return [Stored(events[fate], fresh=False) if isinstance(fate, Standing) else fate for fate in fates]

    async def _standing(self, lines: Sequence[Standing]) -> dict[Standing, Event]:
        rooms, seqs = array([named(line.room) for line in lines]), numbers([line.seq for line in lines])
        rows = await self.database.read.call(_BY_SEQ, rooms, seqs)
        return {lines[place]: _event(lines[place].room, row) for place, row in _placed(rows)}

    async def _by_key(self, drafts: Sequence[Draft]) -> Sequence[Outcome]:
        keyed = [(draft.room, draft.key) for draft in drafts if draft.key is not None]
        rooms, keys = array([named(room) for room, _ in keyed]), array([named(key) for _, key in keyed])
        rows = await self.database.read.call(_BY_KEY, rooms, keys) if keyed else []
        found = {keyed[place]: _event(keyed[place][0], row) for place, row in _placed(rows)}
        refused = Refused(StoreError("It was not stored."))
        return [
            Stored(found[draft.room, draft.key], fresh=False)
            if draft.key is not None and (draft.room, draft.key) in found
            else refused
            for draft in drafts
        ]

    def _told(self, heads: str) -> None:
        """Another node has appended: a room and its head in each line."""
        if self._heard is not None:
            for line in heads.split("\n"):
                room, _, head = line.rpartition(" ")
                self._heard(unnamed(room), int(head))


def _placed(rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """Rows without their first column, each with that as a place from 0 on."""
    return [(int(row[0] or 0) - 1, row[1:]) for row in rows]


def _event(room: str, row: Row) -> Event:
    """A row as an event.

    Raises:
        DamagedError: Its kind is none that this version knows.
    """
    seq, at, kind, who, text, raw, tags = row
    try:
        return Event(
            room,
            int(seq or 0),
            int(at or 0),
            Kind(kind or ""),
            unnamed(who or ""),
            said(text or "", raw),
            unnamed(tags or ""),
        )
    except ValueError as error:
        raise DamagedError(
            f"The database holds an event that this version does not understand (#{room}, seq {seq}, {error}): "
            "install the version that wrote it, or bring back a copy of the database."
        ) from error


def _summary(row: Row) -> RoomSummary:
    name, seq, at, topic, raw, members, hidden, topic_seq = row
    topic = said(topic or "", raw)
    numbers_ = [int(number or 0) for number in (members, hidden, topic_seq)]
    return RoomSummary(unnamed(name or ""), int(seq or 0), int(at or 0), topic, *numbers_)


def _storable(seq: int) -> int:
    """A seq that somebody asked about, as one that PostgreSQL can compare with."""
    return max(0, min(seq, _MAX_INTEGER))
