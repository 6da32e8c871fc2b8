"""What the operator has chosen for every connection. Knows values. Must not know what is done with them."""

from __future__ import annotations

from dataclasses import dataclass, field

from twistedchat.doors.channel import Pace

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has chosen.

    Attributes:
        title: The server's public name.
        motd: Lines shown to whoever connects.
        pace: The rate limit of each connection.
        login_seconds: A connection that has given no name by then is closed.
        max_connections: Beyond them whoever connects is told to try later.
        irc_ports: Where IRC clients connect, as people are told; none if there is no such port.
    """

    title: str = "the chatroom"
    motd: tuple[str, ...] = ()
    pace: Pace = field(default=Pace(20, 200))
    login_seconds: float = 60.0
    max_connections: int = 10_000
    irc_ports: tuple[str, ...] = ()
