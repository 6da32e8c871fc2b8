"""A message of several lines, as a client sends it: the lines of a batch put together.

Knows IRCv3's ``draft/multiline``. Must not know to whom the message goes, nor a clock: the time comes as an argument.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from twistedchat.events import MAX_TEXT_BYTES
from twistedchat.irc.errors import FailError
from twistedchat.irc.message import client_tags
from twistedchat.irc.pieces import MAX_LINES
from twistedchat.masks import fold

if TYPE_CHECKING:
    from twistedchat.irc.message import Message

__all__ = ["OPEN_SECONDS", "Incoming", "Whole"]

OPEN_SECONDS = 60.0
"""Longest time that a batch may be left open, in seconds. Source: docs/irc.md, "Limits and leaving"."""

TYPE = "draft/multiline"
CONCAT = "draft/multiline-concat"

_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}")
"""Reference of a batch; its length is ours. Source: IRCv3, batch, "The BATCH verb"."""


class Whole(NamedTuple):
    """A message that has been put together.

    Attributes:
        command: ``PRIVMSG`` or ``NOTICE``.
        target: As it stood in the batch.
        text: The lines, joined by line feeds; at most 4,096 bytes, and not all of them blank.
        tags: What goes with it for the others (`message.client_tags`).
        label: What the client gave it; "" for none.
    """

    command: str
    target: str
    text: str
    tags: str
    label: str


class Incoming:
    """The batches that one client sends, one at a time.

    Once something is wrong with a batch, `FailError` is raised, once; the rest of it is passed over. So at most one
    message is kept, and nothing of one that failed is ever said.

    Attributes:
        label: Of the batch that was answered last, also if it failed; "" for none.
    """

    __slots__ = ("_batch", "label")

    def __init__(self) -> None:
        self._batch: _Batch | None = None
        self.label = ""

    @property
    def is_open(self) -> bool:
        """Whether a batch waits for its lines and its end."""
        return self._batch is not None

    def bracket(self, message: Message, now: float) -> Whole | None:
        """Take a ``BATCH``, which opens or ends one.

        Args:
            message: With at least one parameter.
            now: The time in seconds, on the same clock as every other ``now``.

        Returns:
            The message that ends here, or None.

        Raises:
            FailError: A batch can't be opened, or what ends is no message.
        """
        sign, reference = message.params[0][:1], message.params[0][1:]
        if sign == "-":
            return self._end(reference)
        self.label = message.tags.get("label", "")
        if sign != "+" or not _REFERENCE.fullmatch(reference):
            text = "A batch begins with + and letters, digits or hyphens, and ends with - and the same."
            raise _fail("INVALID_REFTAG", message.params[0], text=text)
        kind, target = [*message.params[1:3], "*", "*"][:2]
        if kind != TYPE:
            raise _fail("UNKNOWN_TYPE", reference, kind, text=f"Only {TYPE} can be sent.")
        if len(message.params) != 3 or "batch" in message.tags:
            raise _invalid(f"A batch is opened by BATCH +reference {TYPE} target, outside of any other.")
        if self._batch is not None:
            raise _invalid("Another batch is open.")
        self._batch = _Batch(reference, target, client_tags(message.tags), self.label, now + OPEN_SECONDS)
        return None

    def line(self, message: Message) -> None:
        """Take a line that has a ``batch`` tag.

        Raises:
            FailError: It does not fit what came before it.
        """
        batch = self._batch
        if batch is None or batch.reference != message.tags.get("batch"):
            return  # one that failed
        try:
            batch.add(message)
        except FailError:
            self._close(batch)
            raise

    def expire(self, now: float) -> None:
        """Give up a batch that has been open for too long.

        Raises:
            FailError: ``TIMEOUT``: there was one.
        """
        batch = self._batch
        if batch is not None and now >= batch.deadline:
            self._batch = None
            raise _fail(
                "TIMEOUT", batch.reference, text="The batch was left open for too long: nothing of it was said."
            )

    def _end(self, reference: str) -> Whole | None:
        batch = self._batch
        if batch is None or batch.reference != reference:
            return None
        self._close(batch)
        text = "".join(batch.parts)
        if not text.strip("\n"):
            raise _invalid("All lines of the message are blank.")
        return Whole(batch.command, batch.target, text, batch.tags, batch.label)

    def _close(self, batch: _Batch) -> None:
        self._batch = None
        self.label = batch.label


class _Batch:
    """A batch that is open.

    Attributes:
        reference: Of the batch.
        target: To whom it goes.
        tags: For the others.
        label: Of the client's, or "".
        deadline: When it has been open for too long.
        command: Of all its lines; "" before the first one.
        parts: The texts of its lines, and what stands between them.
    """

    __slots__ = ("_line_count", "_size", "command", "deadline", "label", "parts", "reference", "tags", "target")

    def __init__(self, reference: str, target: str, tags: str, label: str, deadline: float) -> None:
        self.reference = reference
        self.target = target
        self.tags = tags
        self.label = label
        self.deadline = deadline
        self.command = ""
        self.parts: list[str] = []
        self._line_count = 0
        self._size = 0

    def add(self, message: Message) -> None:
        command = message.command.upper()
        if command not in ("PRIVMSG", "NOTICE") or command != (self.command or command):
            raise _invalid("The lines of a batch are all PRIVMSG, or all NOTICE.")
        if len(message.params) != 2:
            raise _invalid("Each line has the batch's target and a text.")
        target, text = message.params
        if fold(target) != fold(self.target):
            text = "Each line has the batch's own target."
            raise _fail("MULTILINE_INVALID_TARGET", self.target, target, text=text)
        is_concat = CONCAT in message.tags
        if is_concat and not text:
            raise _invalid("A line that goes on is not blank.")
        part = text if is_concat or not self._line_count else f"\n{text}"
        self.command = command
        self._line_count += 1
        self._size += len(part.encode())
        if self._line_count > MAX_LINES:
            raise _fail("MULTILINE_MAX_LINES", f"{MAX_LINES}", text=f"A message has at most {MAX_LINES} lines.")
        if self._size > MAX_TEXT_BYTES:
            text = f"A message has at most {MAX_TEXT_BYTES} bytes."
            raise _fail("MULTILINE_MAX_BYTES", f"{MAX_TEXT_BYTES}", text=text)
        self.parts.append(part)


def _invalid(text: str) -> FailError:
    return _fail("MULTILINE_INVALID", text=text)


def _fail(code: str, *context: str, text: str) -> FailError:
    return FailError("BATCH", code, *context, text=text)
