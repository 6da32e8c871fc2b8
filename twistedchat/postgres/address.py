"""Where the database is: a libpq URL, its hosts, and how they are named in sentences. Opens no connection.

libpq's own way of trying several hosts has no time limit for each when it is driven step by step, so a host that
swallows packets would hide those behind it: each host is tried with parameters of its own.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import NamedTuple

from psycopg import pq
from typing_extensions import override

from twistedchat.stores.base import StoreError

__all__ = ["Address", "Host", "parse"]

_DEFAULT_PORT = "5432"
"""Port of PostgreSQL. Source: its manual, "Parameter Key Words"."""

_OURS = {
    "application_name": "twistedchat",
    # Where we wait for a connection ourselves, libpq does not look at it.
    "connect_timeout": "3",
    # A dead peer is noticed within 5 s on an idle connection, and within 3 s while something is on its way to it.
    "keepalives": "1",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "3000",
}
"""Parameters of every connection, unless the operator gives others."""

_SETTINGS = {
    # A call that we no longer wait for ends by itself, before `link.CALL_SECONDS` have passed.
    "statement_timeout": "2500",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "2500",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "3000",
    # Plans are made once, when the tables may be small still, and kept: whatever is looked up has an index.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    # Where there is no index after all, a table to be read as a whole counts as dear enough to be compiled for.
    "jit": "off",
}
"""Server's settings for each connection, unless the operator's ``options`` say otherwise."""


class Host(NamedTuple):
    """One of the database's servers.

    Attributes:
        name: A name, an IP address, or the folder of a UNIX socket.
        address: Its IP address, if the operator gives that beside the name.
        port: As a number in letters.
    """

    name: str
    address: str
    port: str

    @property
    def needs_lookup(self) -> bool:
        """Whether its IP address must be asked for. libpq would do so itself, and block."""
        if self.address or not self.name or self.name.startswith(("/", "@")):
            return False
        try:
            ip_address(self.name.partition("%")[0])
        except ValueError:
            return True
        return False

    @override
    def __str__(self) -> str:
        return f"{self.name or self.address or 'the local socket'}:{self.port}"


class Address:
    """A database.

    Args:
        parameters: libpq's, by their key words.

    Attributes:
        hosts: In the order in which they are to be tried; at least one.
    """

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters
        self.hosts = _hosts(parameters)

    @override
    def __str__(self) -> str:
        """The database, for a sentence; there is no password in it."""
        database = self._parameters.get("dbname") or self._parameters.get("user") or "its default"
        return f"database {database} at {', '.join(map(str, self.hosts))}"

    def conninfo(self, host: Host, ip: str = "") -> bytes:
        """What libpq needs for a connection to one of the hosts.

        Args:
            host: Which.
            ip: What its name was found to be.
        """
        chosen = {"host": host.name, "hostaddr": ip or host.address, "port": host.port}
        parameters = {name: value for name, value in (self._parameters | chosen).items() if value}
        return " ".join(f"{name}={_quoted(value)}" for name, value in parameters.items()).encode()

    def hidden(self, text: str) -> str:
        """A text without the password, should it be in there."""
        password = self._parameters.get("password")
        return text.replace(password, "***") if password else text


def parse(url: str) -> Address:
    """The database that a libpq URL (or ``key=value`` string) names, completed by its service and the environment.

    Raises:
        StoreError: It is none. The sentence repeats nothing of it, since there may be a password in it.
    """
    try:
        given = _values(pq.Conninfo.parse(url.encode()))
    except Exception as error:
        raise StoreError(
            "The database's address is not understood: write postgresql://USER@HOST:PORT/DATABASE, "
            "and % and two hexadecimal digits for special characters in it."
        ) from error
    parameters = _OURS | _defaults(given.pop("service", "")) | given | {"client_encoding": "UTF8"}
    settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    parameters["options"] = f"{settings} {parameters.get('options', '')}".rstrip()
    address = Address(parameters)
    if any("@" in host.name[1:] or not host.port.isdigit() for host in address.hosts):
        raise StoreError(
            "The database's address has a host or a port that can't be: if there is a password in the address, "
            "write % and two hexadecimal digits for its special characters, or use PGPASSFILE."
        )
    return address


def _values(options: list[pq.misc.ConninfoOption]) -> dict[str, str]:
    return {option.keyword.decode(): option.val.decode() for option in options if option.val}


def _defaults(service: str) -> dict[str, str]:
    """What libpq takes from the environment, and from the service's entry in its file.

    Raises:
        StoreError: There is no such entry.
    """
    before = os.environ.pop("PGSERVICE", None)
    try:
        found = _values(pq.Conninfo.get_defaults())
        if service or before:
            # libpq has no other way to ask what stands in a service's entry, and says nothing if there is none.
            os.environ["PGSERVICE"] = service or before or ""
            with_service = _values(pq.Conninfo.get_defaults())
            del with_service["service"]
            if with_service == found:
                raise StoreError(
                    f"The database's service {service or before!r} is not found: see PGSERVICEFILE, ~/.pg_service.conf."
                )
            found = with_service
    finally:
        os.environ.pop("PGSERVICE", None)
        if before is not None:
            os.environ["PGSERVICE"] = before
    return found


def _hosts(parameters: dict[str, str]) -> tuple[Host, ...]:
    names, addresses, ports = (parameters.get(name, "").split(",") for name in ("host", "hostaddr", "port"))
    count = max(len(names), len(addresses))
    return tuple(
        Host(name, address, port or _DEFAULT_PORT)
        for name, address, port in zip(
            names * (count if names == [""] else 1),
            addresses * (count if addresses == [""] else 1),
            ports * count if len(ports) == 1 else ports,
            strict=False,
        )
    )


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
