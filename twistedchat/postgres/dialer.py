"""Making connections: each of the database's hosts in turn, none for too long. Knows no statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import OperationalError, pq
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOutError
from twisted.internet.interfaces import IHostResolution, IReactorPluggableNameResolver, IResolutionReceiver
from zope.interface import implementer

from twistedchat.postgres.connection import Connection
from twistedchat.postgres.errors import LostError
from twistedchat.postgres.wire import ready
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from twisted.internet.interfaces import IAddress, IReactorFDSet, IReactorTime

    from twistedchat.postgres.address import Address, Host

    class Reactor(IReactorFDSet, IReactorTime):
        """What a connection needs of a reactor. It resolves names, too, unless all hosts are IP addresses."""


__all__ = ["ATTEMPT_SECONDS", "LONE_ATTEMPT_SECONDS", "OLDEST_SERVER", "Dialer", "reason", "too_old"]

ATTEMPT_SECONDS = 1.0
"""Time limit for one host to take a connection where there are others, in seconds; some 6 round trips.

Source: chosen; two silent hosts leave a third one a second of `link.CALL_SECONDS`.
"""

LONE_ATTEMPT_SECONDS = 3.0
"""Time limit for the only host to take a connection, in seconds. Source: `link.CALL_SECONDS`."""

OLDEST_SERVER = 140000
"""Oldest version of the server that is used, as libpq numbers them.

Source: 14 is the first with ``client_connection_check_interval``, and the oldest that is still supported.
"""

_WAITING = {pq.PollingStatus.READING: False, pq.PollingStatus.WRITING: True}
"""Whether libpq waits for its socket to be written."""


class Dialer:
    """Makes connections to one database.

    Args:
        reactor: Looks at sockets.
        address: The database.
        on_up: Done with each connection before it is handed out, within the attempt's time limit.

    Attributes:
        fault: Why the last attempt failed; "" if it did not.
    """

    def __init__(
        self,
        reactor: Reactor,
        address: Address,
        on_up: Callable[[Connection], Coroutine[Deferred[Any], Any, object]] | None = None,
    ) -> None:
        self.fault = ""
        self._reactor = reactor
        self._address = address
        self._on_up = on_up
        self._turn = 0

    async def dial(self) -> Connection:
        """A connection to the first host that can be reached, the one that worked last time being the first.

        May be cancelled.

        Raises:
            LostError: There is none; the sentence says why.
        """
        for _ in self._address.hosts:
            host = self._address.hosts[self._turn]
            try:
                return await self._host(host)
            except (StoreError, OperationalError) as error:
                self.fault = self._address.hidden(str(error))
            self._turn = (self._turn + 1) % len(self._address.hosts)
        raise LostError(f"The {self._address} can't be reached: {self.fault}")

    async def _host(self, host: Host) -> Connection:
        """A connection to one host, by the first of its IP addresses that works."""
        addresses = await self._addresses(host)
        is_lone = len(self._address.hosts) == len(addresses) == 1
        seconds = LONE_ATTEMPT_SECONDS if is_lone else ATTEMPT_SECONDS
        error: Exception = LostError(f"The name {host.name} has no IP address.")
        for ip in addresses:
            try:
                return await self._limited(self._attempt(host, ip), seconds)
            except TimedOutError:
                error = LostError(f"{host} has not answered for {seconds:g} s.")
            except (StoreError, OperationalError) as fault:
                error = fault
        raise error

    def _limited(self, attempt: Coroutine[Deferred[Any], Any, Connection], seconds: float) -> Deferred[Connection]:
        return Deferred.fromCoroutine(attempt).addTimeout(seconds, self._reactor)

    async def _attempt(self, host: Host, ip: str) -> Connection:
        pgconn = pq.PGconn.connect_start(self._address.conninfo(host, ip))
        try:
            while (status := pq.PollingStatus(pgconn.connect_poll())) in _WAITING:
                # The socket may be another one each time: libpq connects anew without TLS, for one.
                await ready(self._reactor, pgconn.socket, to_write=_WAITING[status])
            if status is not pq.PollingStatus.OK:
                raise LostError(reason(pgconn.error_message))
            if fault := too_old(host, pgconn.server_version):
                raise LostError(fault)
        except BaseException:
            pgconn.finish()
            raise
        connection = Connection(self._reactor, pgconn, f"database at {host}")
        try:
            if self._on_up:
                await self._on_up(connection)
        except BaseException:
            connection.drop()
            raise
        self.fault = ""
        return connection

    async def _addresses(self, host: Host) -> list[str]:
        if not host.needs_lookup:
            return [host.address]
        found = _Found()
        IReactorPluggableNameResolver(self._reactor).nameResolver.resolveHostName(found, host.name)
        try:
            return await found.complete.addTimeout(ATTEMPT_SECONDS, self._reactor)
        except TimedOutError:
            raise LostError(f"The name {host.name} was not found within {ATTEMPT_SECONDS:g} s.") from None


@implementer(IResolutionReceiver)
class _Found:
    """The IP addresses of a name, as they are found.

    Attributes:
        complete: Fires with all of them.
    """

    def __init__(self) -> None:
        self.complete: Deferred[list[str]] = Deferred()
        self._found: list[str] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N803  Twisted calls it so
        """For Twisted."""

    def addressResolved(self, address: IAddress) -> None:
        """One is found."""
        self._found.append(address.host)  # type: ignore[attr-defined]  # IPv4Address and IPv6Address

    def resolutionComplete(self) -> None:
        """There are no more."""
        self.complete.callback(list(dict.fromkeys(self._found)))


def reason(message: bytes) -> str:
    """What libpq says of a connection that failed, without the host, which the sentence names already."""
    first = message.decode(errors="replace").partition("\n")[0]
    return first.rpartition(" failed: ")[2].rstrip(".") + "."


def too_old(host: Host, version: int) -> str:
    """Why a server can't be used, if it is too old, else ""."""
    return "" if version >= OLDEST_SERVER else f"{host} is PostgreSQL {version // 10000}; it must be 14 or later."
