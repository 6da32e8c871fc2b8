"""A chat server on asyncio's protocols, which are faster than its streams; ``--uvloop`` runs it on that loop."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from typing import cast

from typing_extensions import override

from benchmarks.servers.reference.wording import JOIN, here, line, welcome

_rooms: defaultdict[bytes, set[asyncio.WriteTransport]] = defaultdict(set)


class _Member(asyncio.Protocol):
    """One person."""

    def __init__(self) -> None:
        self._name = b""
        self._room = b"lobby"
        self._rest = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for raw in lines:
            self._line(raw.strip())

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        _rooms[self._room].discard(self._transport)

    def _line(self, text: bytes) -> None:
        if not self._name:
            self._name = text
            _rooms[self._room].add(self._transport)
            self._transport.write(welcome(text))
        elif text.startswith(JOIN):
            _rooms[self._room].discard(self._transport)
            self._room = text.removeprefix(JOIN)
            _rooms[self._room].add(self._transport)
            self._transport.write(here(self._room))
        else:
            shown = line(self._name, text)
            for member in _rooms[self._room]:
                member.write(shown)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Member, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """Listen on the port given."""
    if "--uvloop" in sys.argv:
        import uvloop  # noqa: PLC0415 - it need not be installed

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(int(sys.argv[1])))
    else:
        asyncio.run(_serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
