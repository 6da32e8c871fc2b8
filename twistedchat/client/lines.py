"""What comes in as bytes and is said as lines. Pure; must not know where it comes from or goes."""

from __future__ import annotations

from twistedchat.events import MAX_TEXT_BYTES

__all__ = ["LineCutter", "pieces"]


class LineCutter:
    """Cuts a stream of bytes into lines, with a bound on what waits for its end.

    A line ends with LF or CR LF. What is not UTF-8 becomes U+FFFD. A line of any length is cut into
    pieces that can be said; empty lines are left out.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Take more bytes; returns the lines that they end."""
        *lines, rest = (self._rest + data).split(b"\n")
        while len(rest) > MAX_TEXT_BYTES:
            place = _cut(rest, MAX_TEXT_BYTES)
            lines.append(rest[:place])
            rest = rest[place:]
        self._rest = rest
        return [piece for line in lines for piece in pieces(line.removesuffix(b"\r").decode(errors="replace"))]

    def end(self) -> list[str]:
        """The last line, if it has no end."""
        rest, self._rest = self._rest, b""
        return pieces(rest.decode(errors="replace"))


def pieces(text: str, limit: int = MAX_TEXT_BYTES) -> list[str]:
    """A text as pieces of at most ``limit`` bytes of UTF-8, cut after a space where there is one.

    Args:
        text: Any text.
        limit: At least 4, so that any character fits.

    Returns:
        The pieces, which together are the text; nothing for an empty text.
    """
    data = text.encode(errors="replace")
    found = []
    while len(data) > limit:
        place = data.rfind(b" ", limit // 2, limit) + 1 or _cut(data, limit)
        found.append(data[:place].decode())
        data = data[place:]
    return [*found, data.decode()] if data else found


def _cut(data: bytes, limit: int) -> int:
    """The last place up to the limit at which no UTF-8 sequence is cut in two, if there is one."""
    place = limit
    while place > limit - 4 and data[place] & 0xC0 == 0x80:
        place -= 1
    return place
