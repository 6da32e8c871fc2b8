"""From the bytes that an IRC client sends to lines.

Knows where a line ends and how long it can be. Must not know what it says, nor any socket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twistedchat.irc.message import MAX_LINE_BYTES, MAX_TAG_BYTES

if TYPE_CHECKING:
    from twistedchat.doors.telnet import Item

__all__ = ["IrcDecoder"]

_LONGEST = len("@ ") + MAX_TAG_BYTES + MAX_LINE_BYTES
"""Longest line without its end that could be taken, in bytes. Source: IRCv3, message-tags, "Size limit"."""

_NOT_PLAIN = re.compile(rb"[\n\r\0]")
"""Bytes that end a line or are left out of it. Source: docs/irc.md, "Limits"."""


class IrcDecoder:
    """Cuts what one client sends into lines, as `telnet.TelnetDecoder` does for people; telnet is not looked for.

    LF or CR LF ends a line; NUL and any other CR are left out. The lines do not depend on how the bytes were cut into
    segments. Nothing that a client sends raises, and no more is kept than the longest line.

    Of a line that is too long to be taken its beginning is given out, when it has ended: one byte more than could be
    taken, so that `message.parse` refuses it, with its command and its label. The rest is thrown away.

    Attributes:
        telnet: False, always: its commands are not looked for.
    """

    __slots__ = ("_line", "telnet")

    def __init__(self) -> None:
        self._line = b""
        self.telnet = False

    def feed(self, data: bytes) -> list[Item]:
        """Take a segment of any size.

        Args:
            data: What was received.

        Returns:
            The lines that it completes, in the order sent.
        """
        lines = data.translate(None, b"\0\r").split(b"\n")
        lines[0] = self._line + lines[0]
        items: list[Item] = [line[: _LONGEST + 1] for line in lines]
        self._line = lines.pop()[: _LONGEST + 1]
        items.pop()
        return items

    def whole_line(self, data: bytes) -> bytes | None:
        """The line that a segment is, if it is exactly one plain line at the beginning of a line.

        The short way for what most segments are. None says nothing: `feed` the segment.
        """
        if data[-1:] != b"\n" or self._line:
            return None
        line = data[:-2] if data[-2:-1] == b"\r" else data[:-1]
        if len(line) > _LONGEST or _NOT_PLAIN.search(line) is not None:
            return None
        return line

    def end(self) -> bytes | None:
        """The unfinished line at the end of the input, or None if there is none."""
        return self._line or None

    def replies(self) -> bytes:
        """What is to be sent back: nothing, ever."""
        return b""
