"""Answers to an IRC client's commands: numerics, errors as IRC tells them, and labels.

Knows IRC's lines and the codes of errors. Must not know a transport, nor what any command does.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.irc.message import tagged, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twistedchat.errors import ChatError

__all__ = ["Answer", "Said", "numeric_of"]


class Said(NamedTuple):
    """A line that the client said, while it is being stored.

    Attributes:
        command: The command that said it.
        target: The room, as the client wrote it.
        label: What the client gave the command; "" for none.
    """

    command: str
    target: str
    label: str


class Answer:
    """What a command is answered: nothing, one line, or several, with the label that the client gave it.

    Lines go out as they come, but for the first, which waits until it is known whether it is the only one.

    Args:
        server: The server's name.
        label: What the client gave the command, as a tag; "" for none.
        write: Sends bytes.
    """

    __slots__ = ("_batch", "_first", "_gathered", "_label", "_server", "_write", "is_deferred")

    def __init__(self, server: str, label: str, write_: Callable[[bytes], None]) -> None:
        self._server = server
        self._label = label
        self._write = write_
        self._gathered: list[bytes] | None = None
        self._first: bytes | None = None
        self._batch = ""
        self.is_deferred = False

    def send(self, line: bytes) -> None:
        """One line of the answer, with its end."""
        if not self._label:
            self._out(line)
        elif self._batch:
            self._out(tagged(line, f"batch={self._batch}"))
        elif self._first is None:
            self._first = line
        else:
            self.begin()
            self._out(tagged(line, "batch=answer"))

    def begin(self) -> None:
        """There may be several lines, and something else that is shown between them: none of them waits."""
        if self._label and not self._batch:
            self._batch = "answer"
            self._out(write(self._server, "BATCH", "+answer", "labeled-response", tags=self._label))
            if self._first is not None:
                self._out(tagged(self._first, "batch=answer"))
                self._first = None

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Lines that come meanwhile go out together at the end: nothing may be waited for."""
        gathered: list[bytes] = []
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
            if gathered:
                self._write(b"".join(gathered))

    def _out(self, data: bytes) -> None:
        if self._gathered is None:
            self._write(data)
        else:
            self._gathered.append(data)

    def open_batch(self, line: bytes) -> None:
        """The answer is a batch of its own: this is its first line, which has the label for all of them."""
        self._out(tagged(line, self._label))
        self._label = ""

    def finish(self) -> None:
        """That was all."""
        if not self._label:
            return
        if self._batch:
            self._write(write(self._server, "BATCH", f"-{self._batch}"))
        elif self._first is not None:
            self._write(tagged(self._first, self._label))
        elif not self.is_deferred:
            self._write(write(self._server, "ACK", tags=self._label))
        self._label = ""


_NUMERICS = {
    "bad-name": "401",
    "name-taken": "433",
    "not-here": "401",
    "bad-room": "403",
    "no-such-room": "403",
    "too-many-rooms": "405",
    "not-reading": "401",
    "not-in-room": "442",
    "not-member": "441",
    "already-member": "443",
    "banned": "474",
    "wrong-key": "475",
    "invite-only": "473",
    "room-full": "471",
    "muted": "404",
    "not-op": "482",
    "no-name": "451",
    "empty-text": "412",
    "too-long": "417",
    "not-operator": "481",
    "bad-mode": "472",
    "bad-key": "525",
    "bad-mask": "696",
    "bad-limit": "696",
    "list-full": "478",
    "no-operators": "491",
    "wrong-password": "464",
    "try-later": "464",
}
"""How an error of the core is told where no command has a number of its own for it. Source: Modern IRC, "Numerics"."""


def numeric_of(error: ChatError, usual: str = "400") -> str:
    """The numeric of an error.

    Args:
        error: What went wrong.
        usual: For one that has no number.
    """
    return _NUMERICS.get(error.code, usual)
