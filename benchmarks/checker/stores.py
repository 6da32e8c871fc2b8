"""What the nodes keep their log in, as the checker sees it: started, read by SQL, and made to fail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sqlite3
from typing import TYPE_CHECKING, Protocol

from typing_extensions import override

from benchmarks.checker.judge.records import Event
from benchmarks.checker.proxy import Proxy
from benchmarks.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Postgres", "Sqlite", "Store"]

DATABASE = "chat"

_TROUBLE = re.compile(
    "ERROR:  (deadlock|duplicate key|payload|syntax|column|relation|function|operator)|PANIC|out of memory"
)
"""What stands in the database's log when the nodes have asked it something wrong, or in the wrong order."""

_SETTINGS = {"wal_level": "replica", "wal_retrieve_retry_interval": "100ms"}
"""So that there can be a standby, which notices soon that its link is there again."""

_LOG = """SELECT coalesce(json_agg(json_build_array(
    asked.name, events.seq, events.at, kind, who, coalesce(encode(raw, 'hex'), ''), text) ORDER BY events.seq), '[]')
FROM (VALUES {rooms}) AS asked (name, after) JOIN chat.rooms ON rooms.name = asked.name
JOIN chat.events ON events.room = rooms.id AND events.seq > asked.after"""

_SQLITE_HEADS = """SELECT name, max(seq) FROM (SELECT room, seq FROM events UNION ALL SELECT room, seq FROM tail)
JOIN rooms ON rooms.id = room GROUP BY name"""

_HEADS = "SELECT coalesce(json_object_agg(name, seq), '{}') FROM chat.rooms"

_CLOCK = """CREATE OR REPLACE FUNCTION chat.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint + {ahead_ms}
$$"""
"""The one clock of the schema."""

_FULL = """CREATE OR REPLACE FUNCTION chat.no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_space BEFORE INSERT ON chat.events EXECUTE FUNCTION chat.no_space()"""

_NOT_FULL = "DROP TRIGGER IF EXISTS no_space ON chat.events"

_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chat' AND pid <> pg_backend_pid()"


class Store(Protocol):
    """Where the log is."""

    async def open(self) -> None:
        """Make it."""
        ...

    def address(self, node: int) -> str:
        """What a node's ``--store`` is."""
        ...

    async def read(self, after: Mapping[str, int]) -> dict[str, list[Event]]:
        """What stands in the logs of rooms behind a seq of each, past all nodes."""
        ...

    async def heads(self) -> dict[str, int]:
        """Up to which seq the log of each room goes."""
        ...

    def look(self) -> Iterator[str]:
        """What it has logged that is no good news."""
        ...

    async def close(self) -> None:
        """End everything that was started."""
        ...


class Sqlite(Store):
    """A file, for one node."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "chat.db"

    @override
    async def open(self) -> None:
        pass

    @override
    def address(self, node: int) -> str:
        return f"sqlite:{self._path}"

    @override
    async def read(self, after: Mapping[str, int]) -> dict[str, list[Event]]:
        select = "SELECT seq, at, kind, who, text FROM {} JOIN rooms ON rooms.id = room WHERE name = ? AND seq > ?"
        both = f"{select.format('events')} UNION ALL {select.format('tail')} ORDER BY seq"
        with self._connected() as connection:
            return {
                room: [Event(room, *row) for row in connection.execute(both, (room, seq, room, seq))]
                for room, seq in after.items()
            }

    @override
    async def heads(self) -> dict[str, int]:
        with self._connected() as connection:
            return dict(connection.execute(_SQLITE_HEADS).fetchall())

    def _connected(self) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True))

    @override
    def look(self) -> Iterator[str]:
        return iter(())

    @override
    async def close(self) -> None:
        pass


class Postgres(Store):
    """A server of its own, a proxy before it for each node, and a standby behind it if there is to be one.

    Args:
        folder: Where all is kept.
        ports: Free ones.
        nodes: How many nodes.
        standby: ``sync``, ``async`` or ``none``.

    Attributes:
        links: The proxies of each node: to the primary, and to the standby.
        standby_link: The proxy between the standby and the primary.
    """

    def __init__(self, folder: Path, ports: Iterator[int], nodes: int, standby: str) -> None:
        self._folder = folder
        self._standby_is = standby
        self._made = 0
        servers = 1 if standby == "none" else 2
        self.links = [[Proxy(next(ports), 0) for _ in range(servers)] for _ in range(nodes)]
        self.standby_link = Proxy(next(ports), 0)
        self._engines: list[Engine] = []
        self._primary = 0

    @property
    def primary(self) -> Engine:
        """The server that takes what is written."""
        return self._engines[self._primary]

    @override
    async def open(self) -> None:
        self._engines.append(await asyncio.to_thread(self._engine().make))
        await asyncio.to_thread(self.primary.create, DATABASE)
        self._lead(0)
        if self._standby_is != "none":
            await self.standby_link.open()
            self._engines.append(self.primary)
            await self._make_standby(1)
        for link in (link for links in self.links for link in links):
            await link.open()

    def _engine(self) -> Engine:
        self._made += 1
        return Engine(self._folder / f"engine-{self._made}", settings=_SETTINGS)

    async def _make_standby(self, place: int) -> None:
        """A new standby of the primary; commits wait for it, if it is to be synchronous."""
        self.standby_link.target = self.primary.port
        standby = self._engine()
        through = f"host=127.0.0.1 port={self.standby_link.port} user=chat"
        await asyncio.to_thread(
            standby.run, "pg_basebackup", "-D", str(standby.data), "-d", through, "-R", "-X", "stream", "-c", "fast"
        )
        await asyncio.to_thread(standby.start)
        self._engines[place] = standby
        self._lead(place)
        if self._standby_is == "sync":
            await self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")

    def _lead(self, place: int) -> None:
        for links in self.links:
            links[place].target = self._engines[place].port

    @override
    def address(self, node: int) -> str:
        hosts = ",".join(f"127.0.0.1:{link.port}" for link in self.links[node])
        return f"postgresql://chat@{hosts}/{DATABASE}?target_session_attrs=read-write"

    async def sql(self, *statements: str) -> str:
        """Run statements on the primary, one after the other, past the proxies; returns what the last one answers."""
        answer = ""
        for statement in statements:
            answer = await asyncio.to_thread(self.primary.sql, statement, DATABASE)
        return answer

    @override
    async def read(self, after: Mapping[str, int]) -> dict[str, list[Event]]:
        logs: dict[str, list[Event]] = {room: [] for room in after}
        asked = ", ".join(f"('{room}', {seq})" for room, seq in after.items())
        for room, seq, at, kind, who, raw, text in json.loads(await self.sql(_LOG.format(rooms=asked))):
            logs[room].append(Event(room, seq, at, kind, who, bytes.fromhex(raw).decode() if raw else text))
        return logs

    @override
    async def heads(self) -> dict[str, int]:
        heads: dict[str, int] = json.loads(await self.sql(_HEADS))
        return heads

    @override
    async def close(self) -> None:
        for link in (self.standby_link, *(link for links in self.links for link in links)):
            await link.close()
        for engine in {*self._engines}:
            await asyncio.to_thread(engine.remove)

    @override
    def look(self) -> Iterator[str]:
        for engine in {*self._engines}:
            path = engine.folder / "log"
            if path.exists():
                yield from (line for line in path.read_text(errors="replace").splitlines() if _TROUBLE.search(line))

    # -- faults ----------------------------------------------------------------------------------

    async def kill(self) -> None:
        """Kill the server, as if its process had crashed."""
        await asyncio.to_thread(self.primary.stop, signal.SIGKILL)

    async def start(self) -> None:
        """Start it again."""
        await asyncio.to_thread(self.primary.start)

    def stop_processes(self, number: signal.Signals) -> None:
        """Send a signal to the server and all its processes."""
        process = self.primary.process
        if process is not None:
            for pid in [process.pid, *self.primary.children(process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    async def terminate(self) -> None:
        """End all connections."""
        await self.sql(_TERMINATE)

    async def set_clock(self, ahead_ms: int) -> None:
        """Let the schema's clock be ahead of the true one, or behind."""
        await self.sql(_CLOCK.format(ahead_ms=ahead_ms))

    async def fill(self) -> None:
        """Refuse every event, with the error of a full disk."""
        await self.sql(_NOT_FULL, _FULL)

    async def empty(self) -> None:
        """There is space again."""
        await self.sql(_NOT_FULL)

    async def fail_over(self, lag_seconds: float) -> None:
        """The standby falls behind, the primary is killed, the standby is promoted, and gets a standby of its own."""
        self.standby_link.hole("up", "down")
        await asyncio.sleep(lag_seconds)
        await self.kill()
        dead = self.primary
        self.standby_link.cut()
        place = self._primary
        self._primary = 1 - place
        await asyncio.to_thread(self.primary.promote)
        self.standby_link.heal()
        await asyncio.to_thread(dead.remove)
        await self._make_standby(place)
