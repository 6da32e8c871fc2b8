"""Where the server is: what a person writes as an address, and what to say when nobody is there.

Knows Twisted's endpoints. Must not know what is said over them.
"""

from __future__ import annotations

import errno
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet import error as net
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IStreamClientEndpoint

__all__ = ["DEFAULT_PORT", "Address", "Server", "addresses", "servers", "trouble"]

DEFAULT_PORT = 6622
"""TCP port where none is given. Source: docs/protocol.md."""

CONNECT_SECONDS = 30.0
"""Time limit of connecting to the only server, in seconds. Source: the default of Twisted's `HostnameEndpoint`."""

NEXT_SECONDS = 5.0
"""Time limit of connecting to one of several servers, in seconds, after which the next one is tried.

A machine without power answers nothing. A lost session is kept for 60 s (docs/protocol.md, "Coming back"), and up to
40 of them may pass before the loss is noticed (`connection.HEARTBEAT_SECONDS`, twice).
"""

_BRACKETED = re.compile(r"\[([^\]]+)\](?::(\d+))?", re.ASCII)
_HOST = re.compile(r"([^:/\s]+)(?::(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is.

    Attributes:
        text: As it was written.
        host: The host's name or number; None for an endpoint string.
        port: The port there.
        tls: Whether to speak TLS there, and to check that the certificate is the host's.
    """

    text: str
    host: str | None = None
    port: int = DEFAULT_PORT
    tls: bool = False

    @classmethod
    def parse(cls, text: str, *, tls: bool = False) -> Address:
        """Read ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``, ``unix:PATH`` or any client endpoint string.

        Raises:
            ValueError: It is none of these; a sentence says what is.
        """
        found = _BRACKETED.fullmatch(text) or _HOST.fullmatch(text)
        if found and found[1] != "unix":
            port = int(found[2] or DEFAULT_PORT)
            if not 0 < port < 2**16:
                raise ValueError(f"There is no port {port}: a port is a number from 1 to 65535.")
            return cls(text, found[1], port, tls)
        if _is_ipv6(text):
            return cls(text, text, DEFAULT_PORT, tls)
        if ":" in text:
            if tls:
                raise ValueError(f"--tls goes with a host; {text} is an endpoint: write tls:HOST:PORT instead.")
            return cls(text)
        raise ValueError(f"{text!r} is no address: write HOST, HOST:PORT, [IPV6]:PORT or unix:PATH.")

    def endpoint(self, reactor: object, timeout_seconds: float = CONNECT_SECONDS) -> IStreamClientEndpoint:
        """How to connect there.

        Args:
            reactor: What connects.
            timeout_seconds: Time limit of connecting; an endpoint string has its own.

        Raises:
            ValueError: The endpoint string has a mistake.
        """
        if self.host is None:
            try:
                endpoint: IStreamClientEndpoint = clientFromString(reactor, self.text)
            except (ValueError, TypeError, KeyError, OSError) as error:
                raise ValueError(f"{self.text} is no address that can be used: {error}") from error
            return endpoint
        plain = HostnameEndpoint(reactor, self.host, self.port, timeout_seconds)
        if not self.tls:
            return plain
        from twisted.internet.ssl import optionsForClientTLS  # noqa: PLC0415  a fifth of a second that most don't need

        return wrapClientTLS(optionsForClientTLS(self.host), plain)


@dataclass(frozen=True, slots=True)
class Server:
    """One of the servers that share their rooms, or the only one.

    Attributes:
        endpoint: How to connect to it.
        where: What to call that place.
    """

    endpoint: IStreamClientEndpoint
    where: str


def addresses(texts: Sequence[str], *, tls: bool = False) -> list[Address]:
    """Read the addresses of servers that share their rooms.

    Args:
        texts: As a person writes them; a host and a bare number are the host's port, as for telnet.
        tls: Whether to speak TLS there.

    Raises:
        ValueError: One of them is no address, or there is none; a sentence says what is wrong.
    """
    if not texts:
        raise ValueError("There is no address: give at least one.")
    match texts:
        case [host, port] if port.isascii() and port.isdigit():
            texts = [f"[{host}]:{port}" if _is_ipv6(host) else f"{host}:{port}"]
    return [Address.parse(text, tls=tls) for text in texts]


def servers(reactor: object, found: Sequence[Address]) -> list[Server]:
    """How to connect to each of them.

    Raises:
        ValueError: An endpoint string has a mistake.
    """
    timeout_seconds = CONNECT_SECONDS if len(found) == 1 else NEXT_SECONDS
    return [Server(address.endpoint(reactor, timeout_seconds), address.text) for address in found]


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


_SENTENCES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((net.DNSLookupError,), "There is no host called {where}: is it spelled right, and is this machine online?"),
    ((net.ConnectionRefusedError,), "Nothing listens at {where}: is the server running, and is that its port?"),
    (
        (net.TimeoutError, net.TCPTimedOutError, TimeoutError),
        "{where} does not answer: is it the right address, and is this machine online?",
    ),
    ((net.ConnectionDone, net.ConnectionLost), "The connection to {where} is lost."),
)


def trouble(where: str, reason: BaseException) -> str:
    """A sentence that says why there is no connection, and what to do.

    Args:
        where: The address, as it was written.
        reason: What Twisted says.
    """
    for kinds, sentence in _SENTENCES:
        if isinstance(reason, kinds):
            return sentence.format(where=where)
    if getattr(reason, "osError", None) == errno.ENOENT:
        return f"There is no socket at {where}: is the server running?"
    if type(reason).__module__.startswith(("OpenSSL", "service_identity")):
        return _tls_trouble(where, reason)
    return f"{where} can't be reached: {_one_line(reason)}."


def _tls_trouble(where: str, reason: BaseException) -> str:
    if "VerificationError" in type(reason).__name__:
        return f"The certificate of {where} is another host's."
    if "certificate" in str(reason):
        return (
            f"The certificate of {where} can't be trusted: it is out of date, or no authority that this machine knows "
            "has signed it."
        )
    return f"{where} does not speak TLS there: try it without --tls, or another port."


def _one_line(reason: BaseException) -> str:
    text = " ".join(str(reason).split()).rstrip(".")
    return text or type(reason).__name__
