"""The ways in, each with a server behind it: one set of promises is tried over all of them.

A `Way` gives clients that are used alike, whether they are in memory or at real sockets (`Client`). With several
doors each new client takes the next one, so that one room has members over all of them.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

from tests.fakes import JsonPeer, PlainPeer, Settings, World
from tests.live.daemon import Daemon, Door, exchange
from twistedchat.doors.channel import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.live.daemon import Caller, Program

__all__ = ["LIVE", "WAYS", "Client", "LiveWay", "PersonClient", "ProgramClient", "Way"]

SLOW_BYTES = 4096
"""What the kernel takes for a client that will not read."""


class Client(Protocol):
    """Somebody at the far end of a connection."""

    received: bytearray

    @property
    def over(self) -> bool: ...
    @property
    def lines(self) -> list[str]: ...
    def heard(self, text: str) -> bool: ...
    def stop_reading(self) -> None: ...
    def read_again(self) -> None: ...
    def end(self) -> None: ...
    def close(self) -> None: ...
    def vanish(self) -> None: ...
    def reset(self) -> None: ...


class PersonClient(Client, Protocol):
    """Somebody at telnet or nc."""

    def say(self, *lines: str) -> None: ...


class ProgramClient(Client, Protocol):
    """A program."""

    @property
    def messages(self) -> list[dict[str, Any]]: ...
    def ask(self, op: str, **fields: object) -> int: ...
    def answers(self, id_: int) -> list[dict[str, Any]]: ...
    def events(self, room: str) -> list[dict[str, Any]]: ...


class Way(Protocol):
    """A server, and how clients get to it."""

    def person(self, name: str, *, slow: bool = False) -> PersonClient:
        """Somebody at telnet or nc, who has come in; `slow` has a small buffer."""
        ...

    def program(self, name: str, *, slow: bool = False, resume: str | None = None) -> ProgramClient:
        """A program, which has said hello."""
        ...

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """Let everybody send, receive and the server work, until something is so."""
        ...

    def sent(self, client: Client) -> None:
        """Wait until all that a client said has left it."""
        ...

    def stop(self) -> None:
        """Stop the server in order, and let everybody receive what it still sends."""
        ...

    @property
    def trouble(self) -> Sequence[str]:
        """What the server logged that is no good news."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


class MemoryWay:
    """A world."""

    def __init__(self, folder: Path, *, tls: Sequence[bool]) -> None:
        self._world = World(settings=Settings(pace=Pace(0, 1)))
        self._tls = itertools.cycle(tls)
        self._stopped = False

    def person(self, name: str, *, slow: bool = False) -> PersonClient:
        """As of `Way`."""
        peer = PlainPeer(self._world, buffer_bytes=SLOW_BYTES if slow else 1 << 20, tls=next(self._tls))
        peer.say(name)
        self.wait(lambda: peer.heard("You are "), "it has come in")
        return peer

    def program(self, name: str, *, slow: bool = False, resume: str | None = None) -> ProgramClient:
        """As of `Way`."""
        peer = JsonPeer(self._world, buffer_bytes=SLOW_BYTES if slow else 1 << 20, tls=next(self._tls))
        peer.ask("hello", name=name, **({"resume": resume} if resume else {}))
        self.wait(lambda: bool(peer.messages), "it is answered")
        return peer

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """As of `Way`."""
        for _ in range(1000):
            if done():
                # Until the next wait clients do the next thing while the server is busy with the last.
                self._world.hurry = True
                return
            self._world.pass_seconds(0.05)
        raise AssertionError(f"waited in vain until {what}")

    def sent(self, client: Client) -> None:
        """It has: nothing waits on this side."""

    def stop(self) -> None:
        """As of `Way`."""
        self._stopped = True
        self._world.stop()

    @property
    def trouble(self) -> Sequence[str]:
        """As of `Way`."""
        return self._world.faults

    def close(self) -> None:
        """As of `Way`."""
        if not self._stopped:
            self.stop()
        self._world.close()


class LiveWay:
    """A daemon."""

    def __init__(self, folder: Path, *, doors: Sequence[Door]) -> None:
        self.daemon = Daemon(folder, "--rate=0", doors=doors)
        self.daemon.start()
        self._clients: list[Caller] = []
        self._doors = itertools.cycle(doors)
        self._stopped = False

    def person(self, name: str, *, slow: bool = False) -> PersonClient:
        """As of `Way`."""
        caller = self.daemon.caller(next(self._doors), buffer_bytes=SLOW_BYTES if slow else None)
        self._clients.append(caller)
        caller.say(name)
        self.wait(lambda: caller.heard("You are "), "it has come in")
        return caller

    def program(self, name: str, *, slow: bool = False, resume: str | None = None) -> ProgramClient:
        """As of `Way`."""
        buffer_bytes = SLOW_BYTES if slow else None
        program: Program = self.daemon.program(name, next(self._doors), buffer_bytes=buffer_bytes, resume=resume)
        self._clients.append(program)
        self.wait(lambda: bool(program.messages), "it is answered")
        return program

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """As of `Way`."""
        exchange(self._clients, done, what)

    def sent(self, client: Client) -> None:
        """As of `Way`."""
        [caller] = [caller for caller in self._clients if caller is client]
        self.wait(lambda: not caller.outbox or caller.over, "all is sent")

    def kill(self) -> None:
        """Kill the server where it stands, and let everybody receive what it had sent."""
        self.daemon.kill()
        self.wait(self._all_over, "all connections have ended")

    def start(self) -> None:
        """Start it again."""
        self.daemon.start()

    def stop(self) -> None:
        """As of `Way`."""
        self._stopped = True
        self.daemon.stop()
        self.wait(self._all_over, "all connections have ended")

    def _all_over(self) -> bool:
        return all(caller.over or not caller.reading for caller in self._clients)

    @property
    def trouble(self) -> Sequence[str]:
        """As of `Way`."""
        return self.daemon.trouble

    def close(self) -> None:
        """As of `Way`."""
        self.daemon.__exit__(None, None, None)


LIVE: dict[str, Callable[[Path], LiveWay]] = {
    "tcp": lambda folder: LiveWay(folder, doors=[Door.TCP]),
    "tls": lambda folder: LiveWay(folder, doors=[Door.TLS]),
    "unix": lambda folder: LiveWay(folder, doors=[Door.UNIX]),
    "all doors": lambda folder: LiveWay(folder, doors=list(Door)),
}
"""Ways to a daemon, which can be killed."""

WAYS: dict[str, Callable[[Path], Way]] = {
    "memory": lambda folder: MemoryWay(folder, tls=[False]),
    "memory, TLS": lambda folder: MemoryWay(folder, tls=[True, False]),
    **LIVE,
}
"""Every way in."""
