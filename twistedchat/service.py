"""The daemon: the only place that wires things together and picks a reactor."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import os
import re
import resource
import socket
import sys
import time
from typing import TYPE_CHECKING, cast

from twisted.application.service import Service
from twisted.internet import defer, error
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, serverFromString
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure
from typing_extensions import override

from twistedchat.doors.channel import Farewell, Pace
from twistedchat.doors.port import ChatFactory, Settings
from twistedchat.hub import CLOSE_SECONDS, Hub
from twistedchat.operators import OperatorsError, OperatorsFile
from twistedchat.options import Options
from twistedchat.rooms.charter import LOBBY
from twistedchat.stores import check_store, is_shared, make_store
from twistedchat.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import (
        IListeningPort,
        IProtocolFactory,
        IReactorCore,
        IReactorFromThreads,
        IReactorTCP,
        IReactorTime,
        IStreamServerEndpoint,
    )

    from twistedchat.people.base import People
    from twistedchat.stores.base import Store
    from twistedchat.stores.postgres import PostgresStore

    class Reactor(IReactorCore, IReactorTCP, IReactorTime, IReactorFromThreads):
        """What this module needs of a reactor."""


__all__ = ["ChatService", "Options", "listen", "makeService"]

RESERVED_FILES = 64
"""Open files that are not for connections. Source: the store, the log, the ports and the reactor, and some to spare."""

BACKLOG = 4096
"""Length of the kernel's queue of connections that are not yet accepted, for each port.

Source: the value of ``net.core.somaxconn`` since Linux 5.4; where that is less, it counts.
"""

SOCKET_MODE = "600"
"""Permissions of a UNIX socket, in octal, unless the endpoint gives a ``mode``; Twisted's own are 666, for everybody.

With a socket or a proxy of another user the operator says so: ``unix:/run/chat.sock:mode=660``.
"""

GOODBYE_SECONDS = 4.0
"""Time limit for peers to take what they were sent when the server stops, in seconds.

Source: one more than `doors.stream.CLOSE_SECONDS`, after which a connection closes by itself.
"""

ANSWER_SECONDS = 3.0
"""Time limit for what was accepted to be answered when the server stops, in seconds; then goodbye is said without it.

Source: docs/cluster.md: a stop takes at most 5 s, also when the database is silent.
"""

SHARED_CLOSE_SECONDS = 0.5
"""Time limit for storing what was accepted when a node of several stops, in seconds.

Source: whoever waits for an answer has gone by then, and sends again elsewhere; a stop takes at most 5 s.
"""

STOPPING = Farewell("stopping", "The server is stopping. Goodbye.")

_log = Logger()


def makeService(options: Options) -> ChatService:
    """The service that ``twistd chatroom`` runs.

    The ports are bound here, before twistd goes into the background, so that whoever started it
    sees on the terminal what is wrong; nobody is served before the service has started.

    Raises:
        SystemExit: A port can't be listened on, or the store can't be used. One line says why.
    """
    from twisted.internet import reactor  # noqa: PLC0415, TID251  this is the one place that picks it

    chosen = cast("Reactor", reactor)
    # Twisted's reactor takes the time of day for its delays: set back by an hour, all would wait an hour.
    chosen.seconds = time.monotonic  # type: ignore[method-assign]
    wall = time.time  # noqa: TID251  and the one place that picks the time of day
    parent: dict[str, str] = options.parent or {}
    try:
        if not (parent.get("chroot") or parent.get("uid") or parent.get("gid")):
            check_store(options["store"], parent.get("rundir") or ".")
        node = options["node"] or socket.gethostname()
        store = make_store(options["store"], sync=options["sync"], node=node, reactor=chosen, clock=wall)
    except StoreError as fault:
        raise SystemExit(f"chatroom: {fault}") from fault
    rate, burst = options["rate"]
    settings = Settings(
        title=options["title"],
        motd=tuple(options["motd"]),
        pace=Pace(rate, burst),
        login_seconds=options["login-timeout"],
        max_connections=max(1, raise_file_limit() - RESERVED_FILES),
        irc_ports=tuple(filter(None, map(_port_of, options["irc"]))),
    )
    people = _people(options["store"], store, chosen)
    operators = _operators(options["oper"], chosen)
    hub = Hub(
        store,
        chosen,
        wall=wall,
        history=options["history"],
        people=people,
        server=options["irc-name"],
        operators=operators,
    )
    factory = ChatFactory(hub, chosen, settings)
    service = ChatService(chosen, factory, CLOSE_SECONDS if people is None else SHARED_CLOSE_SECONDS)
    service.ports += listen(chosen, options["port"], factory)
    service.ports += listen(chosen, options["irc"], factory.for_irc())
    if options["health"]:
        from twistedchat.health import HealthSite  # noqa: PLC0415  twisted.web, 50 ms that most don't need

        service.ports += listen(chosen, [options["health"]], HealthSite(service.state, chosen))
    return service


def _port_of(endpoint: str) -> str:
    """The number of a port that is listened on; "" if it has none that could be told, such as a UNIX socket."""
    kind, _, rest = endpoint.partition(":")
    number = rest.partition(":")[0] if rest else kind
    return number if number.isdigit() and kind != "unix" and number != "0" else ""


def _people(url: str, store: Store, reactor: Reactor) -> People | None:
    """The register of persons, where several nodes share one."""
    if not is_shared(url):
        return None
    from twistedchat.people.shared import SharedPeople  # noqa: PLC0415  libpq is an extra

    return SharedPeople(cast("PostgresStore", store).database, reactor)


def _operators(path: str | None, reactor: Reactor) -> OperatorsFile | None:
    """The operators of the server, if the option is given."""
    if path is None:
        return None
    try:
        return OperatorsFile(path, reactor, deferToThread)
    except OperatorsError as fault:
        raise SystemExit(f"chatroom: {fault}") from fault


def raise_file_limit() -> int:
    """Let the process open as many files as it is allowed to; say how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _log.info("Open files: up to {hard} (it was {soft}).", soft=soft, hard=hard)
    return hard if hard != resource.RLIM_INFINITY else 2**20


def listen(reactor: Reactor, ports: Sequence[str], factory: IProtocolFactory) -> list[IListeningPort]:
    """Listen on every port.

    Args:
        reactor: Where to listen.
        ports: Numbers, on all interfaces of both IP versions, or endpoint strings.
        factory: Makes the protocols.

    Raises:
        SystemExit: One of them can't be listened on.
    """
    listening: list[IListeningPort] = []
    for port in ports:
        if port.isdigit():
            listening += _listen_everywhere(reactor, port, factory)
        else:
            try:
                endpoint = serverFromString(reactor, _completed(port))
            except OSError as fault:
                # Source: twisted.internet.endpoints: the parser of ssl: reads its key and certificate.
                raise SystemExit(f"chatroom: can't listen on {port}: {fault.filename}: {fault.strerror}.") from fault
            except Exception as fault:
                # Twisted's parsers raise whatever their mistakes lead to.
                raise SystemExit(
                    f"chatroom: {port!r} is no port: give a number, or an endpoint of Twisted's such as "
                    "tcp:6622:interface=127.0.0.1, unix:/run/chat.sock or ssl:6697:privateKey=key.pem"
                ) from fault
            listening.append(_listen(endpoint, port, factory))
    for one in listening:
        _log.info("Listening on {address}", address=one.getHost())
    return listening


def _completed(port: str) -> str:
    """An endpoint string with our `BACKLOG`, and for a UNIX socket our `SOCKET_MODE`, where it gives none."""
    kind, *arguments = re.split(r"(?<!\\):", port)
    # Source: twisted.internet.endpoints: unix:ADDRESS:MODE:BACKLOG, or mode=MODE and so on.
    if kind == "unix" and len([one for one in arguments if "=" not in one]) < 2 and "mode=" not in port:
        port = f"{port}:mode={SOCKET_MODE}"
    if kind in {"tcp", "tcp6", "ssl", "unix"} and "backlog=" not in port:
        port = f"{port}:backlog={BACKLOG}"
    return port


def _listen_everywhere(reactor: Reactor, port: str, factory: IProtocolFactory) -> list[IListeningPort]:
    """On IPv6 and IPv4; most systems give IPv4 along with IPv6, and some have only one of them."""
    number = int(port)
    if not 0 <= number <= 65535:
        raise SystemExit(f"chatroom: {port} is no port: give a number up to 65535.")
    try:
        six = [_listen(TCP6ServerEndpoint(reactor, number, BACKLOG, "::"), port, factory)]
        number = getattr(six[0].getHost(), "port", number)  # 0 asks for any
    except SystemExit as fault:
        if isinstance(fault.__cause__, error.CannotListenError) and _is_taken(fault.__cause__):
            raise
        six = []
    try:
        four = [_listen(TCP4ServerEndpoint(reactor, number, BACKLOG), port, factory)]
    except SystemExit:
        if not six:
            raise
        four = []
    return six + four


def _is_taken(fault: error.CannotListenError) -> bool:
    return getattr(fault.socketError, "errno", None) == errno.EADDRINUSE


def _listen(endpoint: IStreamServerEndpoint, port: str, factory: IProtocolFactory) -> IListeningPort:
    outcome: list[IListeningPort | Failure] = []
    endpoint.listen(factory).addBoth(outcome.append)
    if not outcome:
        raise SystemExit(f"chatroom: the endpoint {port!r} does not listen at once, and can't be used.")
    [listening] = outcome
    if isinstance(listening, Failure):
        raise SystemExit(f"chatroom: can't listen on {port}: {_reason(listening.value)}") from listening.value
    return listening


def _reason(fault: object) -> str:
    """What is wrong, and the way out."""
    cause = getattr(fault, "socketError", fault)
    number = getattr(cause, "errno", None)
    if number == errno.EADDRINUSE:
        return "another program has this port; stop it, or give another --port."
    if number == errno.EACCES:
        return "this user may not have it; ports below 1024 are root's, give a higher --port."
    if number == errno.ENOENT:
        return "there is no such folder; make it, or give another --port."
    return f"{cause}. Give another --port."


class ChatService(Service):
    """Runs a hub and the ports to it.

    Args:
        reactor: The running reactor.
        factory: The connections, over the hub.
        close_seconds: Time limit for storing what was accepted when it stops.

    Attributes:
        ports: Where it listens.
    """

    name = "chatroom"

    def __init__(self, reactor: Reactor, factory: ChatFactory, close_seconds: float = CLOSE_SECONDS) -> None:
        self._reactor = reactor
        self._factory = factory
        self._close_seconds = close_seconds
        self.ports: list[IListeningPort] = []
        self._opened = False

    @override
    def startService(self) -> None:
        """Open the store; connections made before it is open wait."""
        super().startService()
        Deferred.fromCoroutine(self._open()).addErrback(self._cannot_open)

    async def _open(self) -> None:
        hub = self._factory.hub
        await hub.open()
        # Whoever connects is told who is there, also if that is nobody here.
        hub.people.glimpse(LOBBY)
        self._opened = True
        # What is here now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        # Named tuples, one or two a line, are looked at by the collector, and are never garbage in a circle.
        gc.set_threshold(20_000, 20, 50)
        _log.info("The room is open.")

    def _cannot_open(self, failure: Failure) -> None:
        if failure.check(StoreError):
            _log.critical("The store can't be opened: {fault}", fault=failure.value)
        else:
            _log.failure("The store can't be opened", failure)
        atexit.register(_end_in_failure)
        self._reactor.stop()

    def state(self) -> str:
        """Why lines can't be stored now, as a sentence; "" if they can."""
        return self._factory.hub.people.trouble if self._opened else "The store is not open yet."

    @override
    def stopService(self) -> Deferred[None]:
        """Let nobody in any more, store and show what was said, say goodbye, close the store."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        super().stopService()
        await DeferredList([maybeDeferred(port.stopListening) for port in self.ports])
        factory = self._factory
        factory.hub.announcer.hush()
        for connection in list(factory.connections):
            connection.channel.finish(STOPPING)
        if not await self._emptied(ANSWER_SECONDS):
            for connection in list(factory.connections):
                connection.channel.close(STOPPING)
            if not await self._emptied(GOODBYE_SECONDS - ANSWER_SECONDS):
                for connection in list(factory.connections):
                    connection.transport.abortConnection()
        in_time = await factory.hub.close(self._close_seconds)
        if not in_time:
            _log.error("The store did not answer in time: what became of the last lines is not known.")
        elif self._opened:
            _log.info("All that was said is stored.")

    async def _emptied(self, seconds: float) -> bool:
        """Wait until all connections are closed, no longer than so many seconds; whether they are."""
        try:
            await self._factory.emptied().addTimeout(seconds, self._reactor)
        except defer.TimeoutError:
            return False
        return True


def _end_in_failure() -> None:
    """End the process with exit status 1.

    ``twistd`` has no status but 0 for a reactor that was stopped, and swallows what the reactor raises; so this
    is done when twistd has ended, and has removed its pid file.
    """
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(1)
