"""The chat server of every Twisted tutorial: a ``LineReceiver`` and ``transport.write`` to each member."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

from twisted.internet import epollreactor
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from typing_extensions import override

from benchmarks.servers.reference.wording import JOIN, here, line, welcome

_rooms: defaultdict[bytes, set[Any]] = defaultdict(set)


class _Member(LineReceiver):
    """One person."""

    transport: Any  # TCP's, which is more than the interface says
    delimiter = b"\n"
    _name = b""
    _room = b"lobby"

    @override
    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    @override
    def lineReceived(self, raw: bytes) -> None:
        text = raw.strip()
        if not self._name:
            self._name = text
            _rooms[self._room].add(self.transport)
            self.transport.write(welcome(text))
        elif text.startswith(JOIN):
            _rooms[self._room].discard(self.transport)
            self._room = text.removeprefix(JOIN)
            _rooms[self._room].add(self.transport)
            self.transport.write(here(self._room))
        else:
            shown = line(self._name, text)
            for member in _rooms[self._room]:
                member.write(shown)

    @override
    def connectionLost(self, reason: Any = connectionDone) -> None:
        _rooms[self._room].discard(self.transport)


def main() -> None:
    """Listen on the port given."""
    reactor = epollreactor.EPollReactor()
    reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(_Member), backlog=4096, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main()
