"""A client's connection, line by line; and a program that asks and is answered. Knows the protocol, and no promise."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["SILENCE_SECONDS", "Asker", "Refused", "Wire", "silence", "until_over"]

SILENCE_SECONDS = 4.0
"""Time without an answer after which a client tries another node, in seconds. Source: chosen; people are patient."""

_LIMIT_BYTES = 1 << 17
"""High-water mark of what a client has received and not yet read, in bytes. Source: four of the longest lines."""


def silence(seconds: float = SILENCE_SECONDS) -> asyncio.Timeout:
    """Limits how long an answer is waited for."""
    return asyncio.timeout(seconds)


async def until_over(
    reading: asyncio.Task[None], talking: asyncio.Task[None], *, keep: Callable[[], bool] = lambda: False
) -> None:
    """Run both sides of a connection until one of them ends; then end the other one.

    Args:
        reading: Takes what comes.
        talking: Says what is said.
        keep: Asked at the end; whether the one that reads goes on all the same.

    Raises:
        Exception: What one of them raised.
    """
    try:
        await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        over = {talking} if keep() else {reading, talking}
        for task in over:
            task.cancel()
        await asyncio.wait(over)
    for task in over:
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            raise fault


class Refused(Exception):  # noqa: N818  it is the server's answer, not our mistake
    """The server answered with an error.

    Attributes:
        code: Which one.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Wire:
    """One connection to a node.

    Attributes:
        label: Whose it is, and where: for evidence.
        node: The number of the node.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, label: str, node: int) -> None:
        self._reader = reader
        self._writer = writer
        self.label = label
        self.node = node

    @classmethod
    async def connect(cls, port: int, label: str, node: int) -> Wire:
        """Connect to a node on this machine.

        Raises:
            OSError: It is not there.
        """
        async with silence():
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT_BYTES)
        return cls(reader, writer, label, node)

    def send(self, text: str) -> None:
        """Send whole lines."""
        self._writer.write(text.encode())

    async def lines(self) -> AsyncIterator[str]:
        """What comes, line by line, until the connection ends, however it does."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                line = await self._reader.readuntil()
                yield line.decode().rstrip("\r\n")

    def end(self) -> None:
        """Close it as a program that ends does: no more is sent, and the rest is not read."""
        self._writer.close()

    def abort(self) -> None:
        """Reset it."""
        self._writer.transport.abort()


class Asker:
    """A program's side of a connection: what is asked, and which answer is whose.

    Args:
        wire: Its connection; nothing was sent on it.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = 0

    @property
    def waits(self) -> bool:
        """Whether an answer has not come yet."""
        return bool(self._asked)

    @property
    def next_number(self) -> int:
        """The id that the next request will have."""
        return self._ids + 1

    def number(self) -> int:
        """An id that was not used before."""
        self._ids += 1
        return self._ids

    def send(self, op: str, **fields: Any) -> None:
        """Send a request whose answer is not waited for here."""
        self.wire.send(json.dumps({"op": op, **fields}) + "\n")

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a request, and wait for its answer.

        Raises:
            Refused: It is an error.
            TimeoutError: None came.
            ConnectionError: None can come any more.
        """
        id_ = self.number()
        answer = self._asked[id_] = asyncio.get_running_loop().create_future()
        self.send(op, id=id_, **fields)
        message: dict[str, Any]
        try:
            async with silence():
                message = await answer
        finally:
            self._asked.pop(id_, None)
        if message["type"] == "error":
            raise Refused(message["code"], message["text"])
        return message

    def answered(self, message: dict[str, Any]) -> bool:
        """Give a message to whoever waits for it; returns whether somebody did."""
        answer = self._asked.get(message.get("re", 0))
        if answer is None or answer.done():
            return False
        answer.set_result(message)
        return True

    def over(self) -> None:
        """The connection has ended: nobody will be answered."""
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError("The connection ended."))
