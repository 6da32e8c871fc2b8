"""Sentences with which the server closes a connection, where more than one door says them.

Knows why. Must not know how a door says it.
"""

from __future__ import annotations

from twistedchat.doors.channel import Farewell

__all__ = ["NO_WEB", "killed"]

NO_WEB = Farewell("no-name", "This is a chat room, not a web server: enter it with telnet, nc or the chatroom client.")


def killed(by: str, why: str) -> Farewell:
    """An operator of the server has ended the session."""
    return Farewell("killed", f"{by}, who operates this server, has ended your session" + (f": {why}" if why else "."))
