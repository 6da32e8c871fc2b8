"""The real daemon as a process, and clients at real sockets.

Everything that waits has a deadline, and nothing sleeps for a time that was guessed.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

__all__ = ["PATIENCE_SECONDS", "Caller", "Daemon", "Program", "exchange", "until"]

PATIENCE_SECONDS = 60.0
"""Whatever takes so long has failed: far more than a busy machine needs."""

POLL_SECONDS = 0.02


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; it is asked again and again."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(POLL_SECONDS)


class Daemon:
    """``twistd -n chatroom`` on a free port of this machine; stopped at the end of a ``with``.

    Args:
        folder: Where it runs, and keeps its log and the rooms' logs; one that was used before is gone on with.
        options: Of ``chatroom``, but for the port and the store.

    Attributes:
        port: Where it listens.
        log_path: What it logs, over all its runs.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = 0
        self.log_path = folder / "daemon.log"
        self._callers: list[Caller] = []
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        for caller in self._callers:
            caller.close()
        if self._process is not None:
            self.kill()

    def start(self) -> None:
        """Start it, and wait until it is open."""
        begin = len(self.log)
        command = [
            *(str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom"),
            # With a backlog: an endpoint's own is short, and whoever does not fit in tries again after a second.
            *("--port=tcp:0:interface=127.0.0.1:backlog=4096", "--store=sqlite:chat.db", *self._options),
        ]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)

        def is_open() -> bool:
            assert self.process.poll() is None, f"the daemon ended: {self.log[begin:]}"
            return "The room is open." in self.log[begin:]

        try:
            until(is_open, "the room is open")
        except AssertionError:
            self.kill()
            raise
        [port] = re.findall(r"Listening on .*port=(\d+)", self.log[begin:])
        self.port = int(port)

    def caller(self, *, buffer_bytes: int | None = None) -> Caller:
        """A new connection, which is closed at the end."""
        self._callers.append(Caller(self.port, buffer_bytes=buffer_bytes))
        return self._callers[-1]

    def program(self, name: str, *, buffer_bytes: int | None = None) -> Program:
        """A program's new connection, which is closed at the end."""
        program = Program(self.port, name, buffer_bytes=buffer_bytes)
        self._callers.append(program)
        return program

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, while it is meant to run."""
        assert self._process is not None, "it is not running"
        return self._process

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self.log_path.read_text() if self.log_path.exists() else ""

    @property
    def rss_bytes(self) -> int:
        """How much memory it uses. Source: proc(5), ``statm``."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """Kill it where it stands."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and wait until it has, by itself and well."""
        status = self._end(signal.SIGTERM)
        # When all is done twistd ends by the signal that stopped it, so that whoever started it knows why.
        assert status in {0, -signal.SIGTERM}, f"it ended with {status}"

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self.process, None
        process.send_signal(number)
        return process.wait(PATIENCE_SECONDS)


class Caller:
    """The far end of a connection to a daemon. Bytes move in `exchange` only.

    Args:
        port: The daemon's.
        buffer_bytes: What the kernel takes for it when it does not read; None for the usual.

    Attributes:
        outbox: What is still to be sent.
        received: What was received.
        reading: Whether it takes what it is sent.
        over: The connection has ended.
        was_reset: It was broken off.
    """

    def __init__(self, port: int, *, buffer_bytes: int | None = None) -> None:
        self.outbox = bytearray()
        self.received = bytearray()
        self.reading = True
        self.over = False
        self.was_reset = False
        self.socket = socket.socket()
        if buffer_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.outbox += "".join(f"{line}\n" for line in lines).encode()

    @property
    def lines(self) -> list[str]:
        """The whole lines that were received."""
        return self.received[: self.received.rfind(b"\n") + 1].decode().splitlines()

    def heard(self, text: str) -> bool:
        """Whether this has been received."""
        return text.encode() in self.received

    def end(self) -> None:
        """Send no more, once all is sent; still read."""
        exchange([self], lambda: not self.outbox, "all is sent")
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both halves."""
        self.over = True
        self.socket.close()

    def reset(self) -> None:
        """Break the connection off."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    # -- what `exchange` calls -------------------------------------------------------------------

    @property
    def wants(self) -> int:
        """What it waits for, as a selector understands it."""
        if self.over:
            return 0
        return selectors.EVENT_READ * self.reading | selectors.EVENT_WRITE * bool(self.outbox)

    def move(self, ready: int) -> None:
        """Send and receive what can be sent and received now."""
        try:
            if ready & selectors.EVENT_WRITE:
                del self.outbox[: self.socket.send(self.outbox)]
            if ready & selectors.EVENT_READ:
                data = self.socket.recv(1 << 16)
                self.received += data
                if not data:
                    self.close()
        except BlockingIOError:
            return
        except OSError:
            self.was_reset = True
            self.close()


class Program(Caller):
    """A program, which has said hello.

    Args:
        port: The daemon's.
        name: Its own.
        buffer_bytes: As of `Caller`.
    """

    def __init__(self, port: int, name: str, *, buffer_bytes: int | None = None) -> None:
        super().__init__(port, buffer_bytes=buffer_bytes)
        self._next_id = 0
        self._read_bytes = 0
        self._messages: list[dict[str, Any]] = []
        self.ask("hello", name=name)

    def ask(self, op: str, **fields: object) -> int:
        """Send a request; its answer has the id that is returned."""
        self._next_id += 1
        self.say(json.dumps({"op": op, "id": self._next_id, **fields}))
        return self._next_id

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was received, but for the lines that greet people."""
        end = self.received.rfind(b"\n") + 1
        for line in self.received[self._read_bytes : end].splitlines():
            if line[:1] == b"{" or self._messages:
                self._messages.append(json.loads(line))
        self._read_bytes = end
        return self._messages

    def answer(self, id_: int) -> dict[str, Any] | None:
        """The answer to a request, if it is there."""
        return next((message for message in self.messages if message.get("re") == id_), None)

    def call(self, op: str, **fields: object) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        id_ = self.ask(op, **fields)
        exchange([self], lambda: self.answer(id_) is not None, f"{op} is answered")
        answer = self.answer(id_)
        assert answer is not None
        return answer

    def events(self, room: str) -> list[dict[str, Any]]:
        """What was shown of a room."""
        return [message for message in self.messages if message["type"] == "event" and message["room"] == room]


def exchange(callers: Iterable[Caller], done: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Send and receive at all connections, until something is so."""
    deadline = time.monotonic() + seconds
    callers = list(callers)
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        with selectors.DefaultSelector() as selector:
            for caller in callers:
                if caller.wants:
                    selector.register(caller.socket, caller.wants, caller)
            for key, ready in selector.select(POLL_SECONDS) if selector.get_map() else ():
                key.data.move(ready)
