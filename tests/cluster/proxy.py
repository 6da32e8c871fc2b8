"""A port of this machine that leads to another one, until a test cuts it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Proxy"]

_LOOK_SECONDS = 0.02
_PIECE_BYTES = 1 << 16


class Proxy:
    """Carries bytes both ways, in a thread of its own.

    Args:
        target: The port that it leads to.

    Attributes:
        port: Where it listens.
        is_hole: Whether nothing comes through; what is sent meanwhile comes afterwards.
        is_cut: Whether connections are reset and none is made.
        peers: The ends of the connections that there are, each with the other one.
    """

    def __init__(self, target: int) -> None:
        self.is_hole = self.is_cut = False
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.peers: dict[socket.socket, socket.socket] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        with self._listening, selectors.DefaultSelector() as selector:
            while not self._is_over.is_set():
                self._turn(selector)
            self._reset()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        wanted = () if self.is_hole else (self._listening, *self.peers)
        for end in wanted:
            selector.register(end, selectors.EVENT_READ)
        ready = [key.fileobj for key, _ in selector.select(_LOOK_SECONDS)]
        for end in wanted:
            selector.unregister(end)
        if self.is_cut:
            self._reset()
        for one in ready:
            if one is self._listening:
                self._accept()
            elif isinstance(one, socket.socket) and one in self.peers:
                self._carry(one)

    def _accept(self) -> None:
        near, _ = self._listening.accept()
        try:
            if self.is_cut:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        self.peers |= {near: far, far: near}

    def _carry(self, end: socket.socket) -> None:
        try:
            data = end.recv(_PIECE_BYTES)
            self.peers[end].sendall(data)
        except OSError:
            data = b""
        if not data:
            for one in (end, self.peers[end]):
                del self.peers[one]
                one.close()

    def _reset(self) -> None:
        peers, self.peers = self.peers, {}
        for end in peers:
            with contextlib.suppress(OSError):
                end.close()
