from __future__ import annotations

import stat
from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.service import BACKLOG, listen


class WrongPortTests(SynchronousTestCase):
    """What the operator is told of a port that can't be listened on."""

    def told(self, port: str) -> str:
        """The sentence that the start ends with."""
        reactor: Any = MemoryReactorClock()
        factory: Any = Factory()
        with self.assertRaises(SystemExit) as raised:
            listen(reactor, [port], factory)
        return str(raised.exception)

    def test_no_key(self) -> None:
        """A key or certificate that can't be read is named, with the reason."""
        told = self.told("ssl:6697:privateKey=/nowhere/key.pem")
        self.assertIn("/nowhere/key.pem: No such file or directory", told)
        self.assertNotIn("is no port", told)

    def test_no_endpoint(self) -> None:
        """What is no endpoint is said to be no port."""
        for port in ("abc", "tcp:abc", "foo:1"):
            self.assertIn(f"{port!r} is no port", self.told(port))


class UnixSocketTests(SynchronousTestCase):
    """Who may connect to a UNIX socket."""

    def listening(self, port: str) -> tuple[str, int, int]:
        """The path, mode and backlog of the socket."""
        reactor: Any = MemoryReactorClock()
        factory: Any = Factory()
        listen(reactor, [port], factory)
        [(path, _, backlog, mode, _)] = reactor.unixServers
        return path, stat.S_IMODE(mode), backlog

    def test_private(self) -> None:
        """Only its own user, unless the operator says otherwise, in whichever way."""
        cases = {
            "unix:/run/chat": 0o600,
            "unix:/run/chat:lockfile=0": 0o600,
            "unix:address=/run/chat": 0o600,
            "unix:/run/chat:mode=660": 0o660,
            "unix:/run/chat:666": 0o666,
            "unix:mode=640:address=/run/chat": 0o640,
        }
        for port, mode in cases.items():
            assert self.listening(port) == ("/run/chat", mode, BACKLOG), port

    def test_a_colon_in_the_path(self) -> None:
        """A path may have a colon, with a backslash before it; a backlog that is given stays."""
        assert self.listening(r"unix:/run/a\:b:backlog=7") == ("/run/a:b", 0o600, 7)
