"""TCP between two of the programs, which can be cut, swallowed or slowed down."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

__all__ = ["Proxy"]

_READ_BYTES = 1 << 16


class _Pipe:
    """One connection through the proxy, and the other one behind it."""

    def __init__(self, proxy: Proxy, near: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._ends = [near]
        self.up = asyncio.Event()
        self.down = asyncio.Event()

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Carry bytes both ways, until one side ends or both are cut."""
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._proxy.target)
        near = self._ends[0]
        self._ends.append(far)
        await asyncio.gather(self._carry(reader, far, self.up), self._carry(far_reader, near, self.down))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_: asyncio.Event) -> None:
        while data := await reader.read(_READ_BYTES):
            await self._proxy.delay()
            await open_.wait()
            if writer.is_closing():
                return
            writer.write(data)
            await writer.drain()
        # An end does not come through a hole, either.
        await open_.wait()
        writer.close()

    def cut(self) -> None:
        """Reset both ends."""
        for end in self._ends:
            end.transport.abort()


class Proxy:
    """A port that leads to another one.

    A hole does not lose bytes, as the network does not lose those of a connection that lives on: they wait, and
    come when it is healed, unless the connections are cut then.

    Args:
        port: Where it listens.
        target: The port that it leads to; may be changed.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self._delay_seconds = 0.0
        self._pipes: dict[_Pipe, asyncio.Task[Any] | None] = {}
        self._closed_ways: set[str] = set()
        self._is_cut = False
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Listen no more, and reset everything."""
        if self._server is not None:
            self._server.close()
        self.blink()
        for task in list(self._pipes.values()):
            if task is not None:
                task.cancel()
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = _Pipe(self, writer)
        self._pipes[pipe] = asyncio.current_task()
        self._let_through(pipe)
        try:
            if not self._is_cut:
                # Cancelled is what the proxy's end makes of it; asyncio would log that as a fault.
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await pipe.run(reader)
        finally:
            pipe.cut()
            self._pipes.pop(pipe, None)

    async def delay(self) -> None:
        """Wait as long as everything is late."""
        if self._delay_seconds:
            await asyncio.sleep(self._delay_seconds)

    def _let_through(self, pipe: _Pipe) -> None:
        for way, event in (("up", pipe.up), ("down", pipe.down)):
            (event.clear if way in self._closed_ways else event.set)()

    # -- faults ----------------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset what there is, and refuse what is new, until it is healed."""
        self._is_cut = True
        self.blink()

    def blink(self) -> None:
        """Reset what there is."""
        self._reset(self._pipes)

    @staticmethod
    def _reset(pipes: Iterable[_Pipe]) -> None:
        for pipe in list(pipes):
            pipe.cut()
            # One that is in a hole does not hear of it by itself.
            pipe.up.set()
            pipe.down.set()

    def blink_one(self, chance: random.Random) -> None:
        """Reset one connection."""
        if self._pipes:
            self._reset([chance.choice(list(self._pipes))])

    def hole(self, *ways: str) -> None:
        """Let nothing through, ``up`` to the target or ``down`` from it, until it is healed."""
        self._closed_ways.update(ways)
        for pipe in self._pipes:
            self._let_through(pipe)

    def hole_one(self, chance: random.Random) -> None:
        """Let nothing through on one connection, until all is healed."""
        if self._pipes:
            pipe = chance.choice(list(self._pipes))
            pipe.up.clear()
            pipe.down.clear()

    def slow_down(self, seconds: float) -> None:
        """Let everything be so late, until it is healed."""
        self._delay_seconds = seconds

    def heal(self, *, reset: bool = False) -> None:
        """Everything is as it was; connections that were in a hole go on, or are reset."""
        stuck = [pipe for pipe in self._pipes if not (pipe.up.is_set() and pipe.down.is_set())]
        self._is_cut = False
        self._closed_ways.clear()
        self._delay_seconds = 0.0
        if reset:
            self._reset(stuck)
        for pipe in self._pipes:
            self._let_through(pipe)
