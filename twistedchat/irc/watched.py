"""How ``MONITOR`` tells who comes and goes: names between commas, in as many lines as they need; and who changes.

Pure. Knows the numerics of IRCv3's ``MONITOR``. Must not know who watches whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.irc.message import MAX_LINE_BYTES, write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from twistedchat.people.watching import Seen

__all__ = ["LISTED", "LIST_END", "LIST_FULL", "OFFLINE", "ONLINE", "changes", "watched"]

ONLINE, OFFLINE, LISTED, LIST_END, LIST_FULL = "730", "731", "732", "733", "734"
"""Numerics. Source: IRCv3, monitor, "Numeric replies"."""


def watched(server: str, nick: str, numeric: str, words: Iterable[str]) -> Iterator[bytes]:
    """A numeric with words between commas, as often as they need; for no words nothing.

    Args:
        server: The server's name.
        nick: The client's.
        numeric: `ONLINE`, `OFFLINE` or `LISTED`.
        words: Names, or what people are shown as.
    """
    space = MAX_LINE_BYTES + 2 - len(write(server, numeric, nick, ""))
    taken: list[str] = []
    size = 0
    for word in words:
        size += len(word.encode()) + 1
        if taken and size > space:
            yield write(server, numeric, nick, ",".join(taken))
            taken, size = [], len(word.encode()) + 1
        taken.append(word)
    if taken:
        yield write(server, numeric, nick, ",".join(taken))


def changes(
    changed: Iterable[tuple[Seen, Seen]], sources: Mapping[str, str], caps: Collection[str], tags: str
) -> Iterator[bytes]:
    """Who is away or back, and who says something else of itself, for a client with ``extended-monitor``.

    Args:
        changed: How each was, and is.
        sources: By name, as what each is shown.
        caps: The client's capabilities.
        tags: Of each line.
    """
    if "extended-monitor" not in caps:
        return
    for before, now in changed:
        if before.away != now.away and "away-notify" in caps:
            yield write(sources[now.name], "AWAY", *([now.away] if now.away else ()), tags=tags)
        if before.real != now.real and "setname" in caps:
            yield write(sources[now.name], "SETNAME", now.real, tags=tags)
