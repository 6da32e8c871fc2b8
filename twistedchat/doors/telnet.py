r"""From the bytes that a telnet client, nc or a program sends to lines.

Knows telnet (RFC 854) and how real clients bend it. Must not know what the lines say, nor any
socket: bytes go in, lines come out, and what is to be sent back is asked for.

GNU telnet takes a byte of UTF-8 for a typed control character if its low seven bits are those of
^C, ^O, ^\ or ^Z: it sends the command IP, AO, BRK or SUSP in its place, with a DO TIMING-MARK behind
it. Here the command becomes the byte again. Its first command gets the peer asked for binary
transmission, in which it does no such thing.
"""

from __future__ import annotations

import codecs
import enum
import re

__all__ = ["IAC", "WONT_TIMING_MARK", "Item", "Mark", "TelnetDecoder"]


class Mark(enum.Enum):
    """Something in the stream that wants an answer in its place among the lines."""

    ARE_YOU_THERE = "are you there"
    """IAC AYT: show in any way that somebody is here. Source: RFC 854."""

    TIMING = "timing"
    """IAC DO TIMING-MARK: answer IAC WONT TIMING-MARK, or the client stays mute. Source: RFC 860."""

    TOO_LONG = "too long"
    """A line has gone over the limit. It is thrown away up to its end."""


Item = bytes | Mark
"""A line without its end, which may hold bytes that are not UTF-8; or a mark."""

IAC = b"\xff"
_WILL, _WONT, _DO, _DONT = b"\xfb", b"\xfc", b"\xfd", b"\xfe"
_AYT, _EC, _EL = b"\xf6", b"\xf7", b"\xf8"
_WILL_BINARY, _DO_BINARY, _DO_TIMING_MARK = _WILL + b"\x00", _DO + b"\x00", _DO + b"\x06"
"""Commands of telnet, and options. Source: RFC 854; RFC 856 (BINARY), RFC 860 (TIMING-MARK)."""

_REFUSALS = {_WILL: _DONT, _DO: _WONT}
"""Answer that refuses an option, by what was asked. Source: RFC 854, "General considerations"."""

_BYTES_BEHIND = {b"\xf4": b"\x83", b"\xf5": b"\x8f", b"\xf3": b"\x9c", b"\xed": b"\x9a"}
"""Bytes that IP, AO, BRK and SUSP (RFC 1184) were in the middle of a character. Source: seen with GNU inetutils 2.4."""

_CONTINUATIONS = bytes(range(0x80, 0xC0))
"""Bytes of a character in UTF-8 after its first. Source: RFC 3629 section 3."""

_MAX_SUBNEGOTIATION = 512
"""Longest subnegotiation, in bytes, an IAC and what follows it counting as one. Source: real clients send below 100."""

_COMMAND = re.compile(
    rb"\xff(?:"
    rb"[\xfb-\xfe]."  # WILL, WONT, DO or DONT, and an option
    rb"|\xfa(?:[^\xff]|\xff[^\xf0]){0,%(most)d}+\xff\xf0"  # SB … IAC SE
    rb"|\xfa(?P<overlong>(?:[^\xff]|\xff[^\xf0]){%(over)d})"
    rb"|[\xec-\xf9\xff]"  # a command without an argument, or IAC IAC
    rb"|(?=[^\xec-\xff])"  # no command at all: the IAC is passed over
    rb")" % {b"most": _MAX_SUBNEGOTIATION, b"over": _MAX_SUBNEGOTIATION + 1},
    re.DOTALL,
)
"""Whole command. What begins with IAC and does not match has been cut, and goes on. Source: RFC 854, RFC 855."""


_NOT_PLAIN = re.compile(rb"[\n\r\0\xff]")
"""Bytes that end a line, may end one, or begin a command. Source: RFC 854, "The NVT printer"."""

WONT_TIMING_MARK = b"\xff\xfc\x06"
"""Answer that a telnet client waits for after ^C. Source: RFC 860."""


class TelnetDecoder:
    r"""Cuts what one peer sends into lines, and takes the telnet commands out of it.

    The items do not depend on how the bytes were cut into segments. Nothing that a peer sends
    raises, and at most ``max_line_bytes`` and about a kilobyte are kept, whatever comes.

    LF, CR LF and CR NUL end a line; from a peer that has sent an IAC also a CR alone, at once (an
    LF or NUL right behind it belongs to it). From any other peer a CR alone is text.

    IAC EC takes back the last character of the unfinished line, IAC EL all of it. Every option is
    refused, once. A subnegotiation is passed over; one of more than 512 bytes counts as a line that
    is too long: it and all up to the next line's end is thrown away, so that it can neither be
    taken for something said nor swallow the connection. Other commands, and an IAC before a byte
    that is no command, are passed over.

    Attributes:
        max_line_bytes: The longest line, in bytes without its end; may be changed between feeds.
        telnet: Set it to False for a peer that speaks no telnet: from then on only LF and CR LF end
            a line, and all other bytes are kept as they are.
        heard_iac: Whether the peer has sent an IAC.
    """

    __slots__ = (
        "_after_cr",
        "_cut_command",
        "_discarding",
        "_line",
        "_refused",
        "_replies",
        "heard_iac",
        "max_line_bytes",
        "telnet",
    )

    def __init__(self, max_line_bytes: int) -> None:
        self.max_line_bytes = max_line_bytes
        self.telnet = True
        self.heard_iac = False
        self._line = b""  # unfinished; a CR at its end may become a part of the line's end
        self._discarding = False  # then only such a CR is kept
        self._after_cr = False  # that ended a line, so that LF or NUL belongs to it
        self._cut_command = b""
        self._replies = b""
        self._refused: frozenset[bytes] = frozenset()

    def feed(self, data: bytes) -> list[Item]:
        """Take a segment of any size.

        Args:
            data: What was received.

        Returns:
            The lines and marks that it completes, in the order sent.
        """
        items: list[Item] = []
        data, self._cut_command, start = self._cut_command + data, b"", 0
        while self.telnet and (iac := data.find(IAC, start)) >= 0:
            if iac > start:
                self._text(data[start:iac], items)
            if not self.heard_iac:
                self._first_iac(items)
            command = _COMMAND.match(data, iac)
            if command is None:
                self._cut_command = data[iac:]
                return items
            start = command.end()
            if command["overlong"]:
                self._discard(items)
            else:
                self._obey(data[iac + 1 : start], items)
        self._text(data[start:], items)
        return items

    def whole_line(self, data: bytes) -> bytes | None:
        """The line that a segment is, if it is exactly one plain line at the beginning of a line.

        The short way for what most segments are. None says nothing: `feed` the segment.
        """
        if data[-1:] != b"\n" or self._line or self._cut_command or self._discarding or self._after_cr:
            return None
        line = data[:-2] if data[-2:-1] == b"\r" else data[:-1]
        if len(line) > self.max_line_bytes or _NOT_PLAIN.search(line) is not None:
            return None
        return line

    def end(self) -> bytes | None:
        """The unfinished line at the end of the input, or None if there is none worth saying.

        A CR at its end and a command that was cut are no part of it.
        """
        return None if self._discarding else self._line.removesuffix(b"\r") or None

    def replies(self) -> bytes:
        """What is to be sent back since last asked: mostly nothing, in all not above 2 KiB."""
        replies, self._replies = self._replies, b""
        return replies

    # -- text ------------------------------------------------------------------------------------

    def _text(self, chunk: bytes, items: list[Item]) -> None:
        lines = self._with_line_feeds(chunk).split(b"\n")
        lines[0] = self._line + lines[0]
        self._line = lines.pop()
        if lines:
            if self._discarding:
                del lines[0]
                self._discarding = False
            items += self._limited(lines)
        if self._discarding or len(self._line.removesuffix(b"\r")) > self.max_line_bytes:
            self._discard(items)

    def _limited(self, lines: list[bytes]) -> list[Item]:
        limit = self.max_line_bytes
        return [bare if len(bare := line.removesuffix(b"\r")) <= limit else Mark.TOO_LONG for line in lines]

    def _discard(self, items: list[Item]) -> None:
        if not self._discarding:
            items.append(Mark.TOO_LONG)
            self._discarding = True
        self._line = b"\r" if self._line.endswith(b"\r") else b""

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """The chunk, with LF or CR LF for whatever else ends a line or goes on doing so."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[:1] in (b"\n", b"\0"):
                chunk = chunk[1:]
        if not self.telnet:
            return chunk
        if b"\0" in chunk:
            if chunk[:1] == b"\0" and self._line.endswith(b"\r"):
                chunk = b"\n" + chunk[1:]
            chunk = chunk.replace(b"\r\0", b"\r\n")
        if self.heard_iac and b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    # -- commands --------------------------------------------------------------------------------

    def _first_iac(self, items: list[Item]) -> None:
        self.heard_iac = True
        self._replies += IAC + _DO_BINARY
        if self._line.endswith(b"\r"):  # it was held; from now on it ends a line
            self._line = self._line[:-1]
            self._text(b"\r", items)

    def _obey(self, command: bytes, items: list[Item]) -> None:
        """Do what a whole command, here without its IAC, wants."""
        if command == IAC:
            self._text(IAC, items)
        elif command in _BYTES_BEHIND:
            if _is_inside_character(self._line):
                self._text(_BYTES_BEHIND[command], items)
        elif command == _AYT:
            items.append(Mark.ARE_YOU_THERE)
        elif command == _DO_TIMING_MARK:
            items.append(Mark.TIMING)
        elif command == _EL:
            self._line = b""
        elif command == _EC:
            self._line = self._line.rstrip(_CONTINUATIONS)[:-1]
        elif command[:1] in _REFUSALS:
            self._refuse(command)

    def _refuse(self, request: bytes) -> None:
        if request != _WILL_BINARY and request not in self._refused:
            self._refused |= {request}
            self._replies += IAC + _REFUSALS[request[:1]] + request[1:]


def _is_inside_character(line: bytes) -> bool:
    """Whether the line ends with the beginning of a character in UTF-8."""
    tail = line[-3:]
    _, whole = codecs.utf_8_decode(tail, "replace")
    return whole < len(tail)
