"""A node's four connections to the database, and what other nodes tell it there.

Knows nodes, leases and notifications. Must not know rooms, names or what is told.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twistedchat.postgres.address import parse
from twistedchat.postgres.dialer import Dialer
from twistedchat.postgres.errors import LostError
from twistedchat.postgres.link import Link
from twistedchat.postgres.schema import prepare
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from twistedchat.postgres.connection import Connection
    from twistedchat.postgres.dialer import Reactor
    from twistedchat.stores.sqlite_file import Sync

__all__ = ["AGAIN", "CHANNEL", "LEASE_SECONDS", "Database"]

CHANNEL = "chat"
"""Channel of NOTIFY on which nodes tell each other what has changed. Source: chosen."""

AGAIN = "again"
"""Kind of what is told when the listening connection was made anew: anything may have been missed meanwhile."""

LEASE_SECONDS = 10.0
"""Length of a node's lease, in seconds: so long its names are its own without a word from it.

Source: the longest pause of a failover that was measured is 1.9 s; a lease is renewed every 2 s.
"""

PREPARE_SECONDS = 60.0
"""Time limit for preparing the database at the start, in seconds; another daemon may be upgrading it.

Source: chosen; whoever looks after the daemon starts it again.
"""

OPEN_TRIES = 4
"""Most times that the first call of each connection is tried, 3 s each. Source: chosen; prepared it is already."""

_GUARD = "SELECT set_config('client_connection_check_interval', '500', false) WHERE version() LIKE '%linux%'"
"""A call that nobody waits for any longer ends when its connection is gone. Other systems than Linux can't see that."""

_NO_JIT = "SET jit = off"
"""Statement that keeps the planner from compiling.

Source: for a roster of 10,000, which takes 6 ms, it reckons with half of the cost at which it would begin to.
"""

_SYNC = {
    # Whoever has set it to more than "on" keeps it.
    "full": "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')",
    "normal": "SELECT set_config('synchronous_commit', 'off', false)",
}

_log = Logger()


class Database:
    """One node's place in the database.

    Args:
        reactor: Looks at the sockets, and has the time.
        url: A libpq URL.
        sync: What an appended event survives: ``full``, a power cut of the database; ``normal``, its crash.
        name: The node's, for people who look into the database.

    Attributes:
        node: The node's identity, another one at each start.
        name: As above.
        identity: The log's; valid after `open`.
        append: The connection for what changes the log; one call at a time, so a read does not wait for it.
        read: The connection for what only reads.
        people: The connection for names and the lease; what is asked there may wait for what other nodes are changing.
        ear: The connection that listens, and does nothing else: PostgreSQL tells nothing to one that waits.

    Raises:
        StoreError: The URL is none.
    """

    def __init__(self, reactor: Reactor, url: str, *, sync: Sync = "full", name: str = "") -> None:
        self.node = secrets.token_hex(8)
        self.identity = ""
        self.append = Link(reactor, url, on_up=partial(_set_up, sync=sync))
        self.read = Link(reactor, url, on_up=partial(_set_up, sync=sync))
        self.people = Link(reactor, url, on_up=partial(_set_up, sync=sync))
        self.ear = Link(reactor, url, on_up=self._listen, heard=self._heard)
        self._dialer = Dialer(reactor, parse(url))
        self._reactor = reactor
        self.name = name
        self._sync = sync
        self._listeners: dict[str, list[Callable[[str], None]]] = {}
        self._has_listened = False

    def listen(self, kind: str, callback: Callable[[str], None]) -> None:
        """Call back with the rest of what other nodes tell under a kind.

        What is told by NOTIFY is ``NODE KIND REST``, less than 8000 bytes. `AGAIN` is told with an empty rest
        when the listening connection was made anew.

        Args:
            kind: One word.
            callback: Must not wait; what it raises is logged.
        """
        self._listeners.setdefault(kind, []).append(callback)

    async def open(self) -> None:
        """Prepare the database, take a lease, and listen.

        Raises:
            StoreError: It can't be used; the sentence says why and what to do.
        """
        preparing = Deferred.fromCoroutine(self._prepare())
        try:
            standbys = await preparing.addTimeout(PREPARE_SECONDS, self._reactor)
        except defer.TimeoutError:
            raise StoreError(f"The database has not answered for {PREPARE_SECONDS:g} s. Start again.") from None
        if self._sync == "full" and not standbys:
            _log.info(
                "The database has no synchronous standby (synchronous_standby_names is empty): "
                "a failover may lose the lines of its last moments."
            )
        await self._patiently(self.renew)
        for link in (self.ear, self.people):
            await self._patiently(partial(link.call, "SELECT"))

    def probe(self) -> None:
        """See to it that each connection that nobody is waiting for answers; see `Link.probe`."""
        for link in (self.append, self.read, self.ear):
            link.probe()

    async def _patiently(self, call: Callable[[], Coroutine[Deferred[Any], Any, object]]) -> None:
        """On a machine that is just starting everything, a connection may take longer than one may take later."""
        for _ in range(OPEN_TRIES - 1):
            try:
                await call()
            except LostError:
                continue
            return
        await call()

    async def _prepare(self) -> str:
        """Make the tables, or bring them to the newest version; the names of synchronous standbys."""
        connection = await self._dialer.dial()
        try:
            self.identity = await prepare(connection)
            ((standbys,),) = await connection.call("SELECT current_setting('synchronous_standby_names')")
        finally:
            connection.close()
        return standbys or ""

    async def renew(self) -> None:
        """Begin the lease, or begin it anew.

        Raises:
            StoreError: It was not done, or that is not known.
        """
        await self.append.call("SELECT chat.begin($1, $2, $3)", self.node, self.name, str(int(LEASE_SECONDS * 1000)))

    async def close(self) -> None:
        """End the connections; also after a failed `open`. The lease ends by itself."""
        for link in (self.append, self.read, self.people, self.ear):
            link.close()

    async def _listen(self, connection: Connection) -> None:
        await _set_up(connection, sync=self._sync)
        # The last call: from its answer on nothing is missed.
        await connection.call(f"LISTEN {CHANNEL}")
        if self._has_listened:
            self._tell(AGAIN, "")
        self._has_listened = True

    def _heard(self, channel: str, payload: str) -> None:  # noqa: ARG002  there is one channel
        node, _, told = payload.partition(" ")
        kind, _, rest = told.partition(" ")
        if node != self.node:
            self._tell(kind, rest)

    def _tell(self, kind: str, rest: str) -> None:
        for callback in self._listeners.get(kind, ()):
            try:
                callback(rest)
            except Exception:
                _log.failure("What another node has told can't be taken in ({kind})", kind=kind)


async def _set_up(connection: Connection, *, sync: Sync) -> None:
    await connection.call(_GUARD)
    await connection.call(_NO_JIT)
    await connection.call(_SYNC[sync])
