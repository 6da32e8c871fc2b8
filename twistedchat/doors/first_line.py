"""What the first line of a connection says of who is at the other end.

Knows how browsers and IRC clients begin. Must not know what is done about it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_name", "is_irc", "is_web"]

_HTTP = re.compile(r"[A-Z]{3,8} \S* ?HTTP/\d")
"""Request line of HTTP. Source: RFC 9112 section 3."""

_IRC = re.compile(r"(?i)CAP LS\b|PASS ")
"""First line of most IRC clients; no name has a blank in it. Source: docs/irc.md, "Connecting"."""

_IRC_NAME = re.compile(r"(?i)(?:NICK|USER) ")
"""First line of the others; it is a name that is refused. Source: the same."""


def is_web(text: str) -> bool:
    """Whether it is a browser."""
    return _HTTP.match(text) is not None


def is_irc(text: str) -> bool:
    """Whether it is an IRC client."""
    return _IRC.match(text) is not None


def check_name(text: str, irc_ports: Sequence[str]) -> None:
    """See to it that an IRC client that is taken for a person is told where it belongs.

    Raises:
        ChatError: ``bad-name``.
    """
    if irc_ports and _IRC_NAME.match(text):
        raise ChatError("bad-name", f"IRC clients connect to port {' or '.join(irc_ports)} here.")
