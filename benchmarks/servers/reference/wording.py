"""What the reference servers say, so that all of them send the same bytes."""

from __future__ import annotations

import time

__all__ = ["JOIN", "here", "line", "welcome"]

JOIN = b"/join #"


def welcome(name: bytes) -> bytes:
    """To somebody who has given a name."""
    return b"*** You are %b, in #lobby\r\n" % name


def here(room: bytes) -> bytes:
    """To somebody who has entered another room."""
    return b"*** You are in #%b with others\r\n" % room


def line(name: bytes, text: bytes) -> bytes:
    """What was said, as everybody sees it."""
    return b"[%b] %b: %b\r\n" % (time.strftime("%H:%M:%S").encode(), name, text)
