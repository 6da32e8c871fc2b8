"""Can the database be used now? Asked before there is a reactor, so it waits."""

from __future__ import annotations

from psycopg import pq

from twistedchat.postgres.address import parse
from twistedchat.postgres.dialer import reason, too_old
from twistedchat.stores.base import StoreError

__all__ = ["LIMIT_SECONDS", "check"]

LIMIT_SECONDS = 3
"""Time limit for each host to take a connection, in seconds: one may be there and say nothing.

Source: as `dialer.LONE_ATTEMPT_SECONDS`.
"""


def check(url: str) -> None:
    """See that one of the database's hosts takes a connection. Changes nothing there.

    Raises:
        StoreError: None does; the sentence says why.
    """
    address = parse(url)
    fault = ""
    for host in address.hosts:
        pgconn = pq.PGconn.connect(address.conninfo(host) + b" connect_timeout=%d" % LIMIT_SECONDS)
        try:
            if pgconn.status != pq.ConnStatus.OK:
                fault = reason(pgconn.error_message)
            elif not (fault := too_old(host, pgconn.server_version)):
                return
        finally:
            pgconn.finish()
    raise StoreError(f"The {address} can't be reached: {address.hidden(fault)}")
