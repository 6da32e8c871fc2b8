"""The capabilities that an IRC client can ask for, and what it asked for.

Knows IRCv3's names of them, and the words of ``CAP``. Must not know what a capability changes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CAPABILITIES", "VALUED_VERSION", "listed", "requested"]

VALUED_VERSION = 302
"""Version of ``CAP LS`` from which on a capability is listed with its value. Source: IRCv3, capability negotiation."""

_LINE_BYTES = 400
"""Size limit of the capabilities of one line, in bytes. Source: 510 less the server's name, the nick and ``CAP``."""

_REMEMBERED = 256
"""Most requests whose outcome is kept, because programs of one kind ask for the same, and so share it.

Source: a set of five names took 770 bytes of each client's 4,600, by tracemalloc.
"""

CAPABILITIES = {
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "draft/chathistory": "",
    "draft/event-playback": "",
    "draft/multiline": "max-bytes=4096,max-lines=100",
    "draft/no-implicit-names": "",
    "echo-message": "",
    "extended-join": "",
    "extended-monitor": "",
    "invite-notify": "",
    "labeled-response": "",
    "message-tags": "",
    "multi-prefix": "",
    "no-implicit-names": "",
    "server-time": "",
    "setname": "",
    "standard-replies": "",
    "userhost-in-names": "",
}
"""Each with its value, or "". Source: docs/irc.md."""


def listed(names: Sequence[str], *, valued: bool) -> Iterator[tuple[str, bool]]:
    """Capabilities as one ``CAP`` line or several.

    Args:
        names: Of those that are listed.
        valued: Whether their values stand with them.

    Yields:
        The last parameter of each line, and whether more lines follow.
    """
    words = [f"{name}={CAPABILITIES[name]}" if valued and CAPABILITIES[name] else name for name in names]
    line = ""
    for word in words:
        if len(line) + 1 + len(word) > _LINE_BYTES:
            yield line, True
            line = ""
        line = f"{line} {word}".lstrip()
    yield line, False


@lru_cache(maxsize=_REMEMBERED)
def requested(text: str, have: frozenset[str]) -> frozenset[str] | None:
    """What a client has after a request, ``name -name``; None if it asks for something that there is not."""
    wanted = set(have)
    for word in text.split(" "):
        name = word.removeprefix("-")
        if not name:
            continue
        if name not in CAPABILITIES:
            return None
        if word[0] == "-":
            wanted.discard(name)
        else:
            wanted.add(name)
    return frozenset(wanted)
