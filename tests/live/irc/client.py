"""What the tests do with a real IRC client, whichever it is, and how a line stands in its log."""

from __future__ import annotations

import errno
import os
import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

from tests.live.callers import until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
    from typing import Self

__all__ = ["ENVIRONMENT", "HOST", "Client", "Shown", "lines_of", "write_to_fifo"]

HOST = "127.0.0.1"

ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC", "PATH": os.environ["PATH"]}


class Shown(NamedTuple):
    """A line of a room, as a client has it in its log.

    Attributes:
        kind: ``say``, ``me`` or ``notice``.
        who: The name; "" where the client does not show it.
        text: The text.
    """

    kind: str
    who: str
    text: str

    @property
    def unwrapped(self) -> Shown | None:
        """The same, but what is told of the past as that which was said; None for the notices around it."""
        if self.kind != "notice" or self.who not in {"", "HistServ"}:
            return self
        if found := _PAST.fullmatch(self.text):
            said, did, noted, text = found.groups()
            return Shown("say" if said else "me" if did else "notice", said or did or noted, text)
        return None if self.text.startswith("*** ") else self


_PAST = re.compile(r"\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?: \d+)?\] (?:<(\S+)>|\* (\S+)|-(\S+)-) (.*)")
"""A line of the past, as a notice has it. Source: IRC.md, "What was said before"."""


class Client:
    """An IRC client.

    Args:
        name: Its nick.
        folder: For its home.
        password: What it sends as ``PASS``; "" for nothing.
    """

    program: str
    draws = frozenset({"say", "me"})
    """Kinds of lines that it draws by itself when they are typed."""

    def __init__(self, name: str, folder: Path, password: str = "") -> None:
        self.name = name
        self.home = folder / name
        self.password = password
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.home.mkdir(parents=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.kill()

    @classmethod
    def is_installed(cls) -> bool:
        """Whether this machine has the program."""
        return shutil.which(cls.program) is not None

    @property
    def runs(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, port: int) -> None:
        """Start it; it connects to a port of this machine and enters ``#lobby``."""
        self._port = port
        self._process = self._run()

    def kill(self) -> None:
        """End the process where it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def come_back(self) -> None:
        """What a person does after a lost connection; nothing, because it comes back by itself."""

    def say(self, text: str, room: str = "#lobby") -> None:
        """Type a line into a room's window."""
        raise NotImplementedError

    def act(self, text: str, room: str = "#lobby") -> None:
        """Type ``/me`` there."""
        raise NotImplementedError

    def raw(self, line: str) -> None:
        """Have a line sent to the server as it is."""
        raise NotImplementedError

    def log(self, room: str = "#lobby") -> list[str]:
        """What it has logged of a room."""
        raise NotImplementedError

    def shown(self, room: str = "#lobby") -> list[Shown]:
        """What was said in a room, as far as it has been shown it."""
        read = (self._read(line) for line in self.log(room))
        return [shown for line in read if line and (shown := line.unwrapped)]

    def texts(self, room: str = "#lobby") -> list[str]:
        """The texts of what was said there."""
        return [shown.text for shown in self.shown(room)]

    def entries(self, room: str = "#lobby") -> int:
        """How often it has entered a room."""
        return sum(bool(re.search(rf"\b{self.name}\b.*(has joined|JOIN) {room}", line)) for line in self.log(room))

    def _run(self) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _read(self, line: str) -> Shown | None:
        raise NotImplementedError


def lines_of(path: Path) -> list[str]:
    """The whole lines of a file; none if there is no such file yet."""
    if not path.exists():
        return []
    text = path.read_bytes()
    # Not str.splitlines: what a client was shown may hold other line ends.
    return text[: text.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def write_to_fifo(path: Path, line: str) -> None:
    """Type a line into a FIFO, as soon as somebody reads it."""

    def is_written() -> bool:
        try:
            fifo = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in {errno.ENXIO, errno.ENOENT}:
                return False
            raise
        with open(fifo, "wb") as file:
            file.write(f"{line}\n".encode())
        return True

    until(is_written, f"{path} is read")
