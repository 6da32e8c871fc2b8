"""How one speaks to each kind of server: what to send to enter a room and to say a line.

Knows bytes only: no socket, no clock. A dialect also tells how many line ends a member sees for
each line said, so that the load generator can check every member by counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["ALL_TAGS", "DIALECTS", "LOBBY", "Dialect", "Irc", "JsonLines", "Plain", "Redis", "Step", "spoken"]

LOBBY = "lobby"
"""The room that a plain-text person is in from the start."""
ALL_TAGS = "batch echo-message labeled-response message-tags server-time"
"""The IRC capabilities of a client that wants all tags. Source: what WeeChat 4 and gamja ask for, and IRCv3."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange on the way into a room.

    Attributes:
        send: What to send.
        until: The step is done when this has been received.
    """

    send: bytes
    until: bytes


class Dialect(Protocol):
    """One way of speaking to a chat server.

    Attributes:
        echoes: Whether a person is shown their own lines.
        newlines_per_line: How many line feeds a member receives for each line said.
        newlines_per_answer: How many more the one who said it receives.
        quiet_seconds: When nothing came for so long, nothing that is due to joining comes any more.
    """

    echoes: bool
    newlines_per_line: int
    newlines_per_answer: int
    quiet_seconds: float

    def enter(self, name: str, room: str) -> tuple[Step, ...]:
        """The steps from a fresh connection to membership in the room."""
        ...

    def say(self, room: str, text: bytes) -> bytes:
        """What to send to say a text that has no space in it."""
        ...


class Plain:
    """The chat room's plain text; the reference servers of this suite speak it too."""

    echoes = True
    newlines_per_line = 1
    newlines_per_answer = 0
    quiet_seconds = 0.3

    def enter(self, name: str, room: str) -> tuple[Step, ...]:
        """Give a name, which enters the lobby; then join the room if it is another one."""
        lobby = Step(f"{name}\r\n".encode(), f"*** You are {name}, in #{LOBBY}".encode())
        if room == LOBBY:
            return (lobby,)
        return (lobby, Step(f"/join #{room}\r\n".encode(), f"*** You are in #{room}".encode()))

    def say(self, room: str, text: bytes) -> bytes:  # noqa: ARG002 - one talks in the room joined last
        """The text as a line."""
        return text + b"\r\n"


class JsonLines:
    """The chat room's JSON lines."""

    echoes = True
    newlines_per_line = 1
    newlines_per_answer = 1
    quiet_seconds = 1.2  # arrivals in a large room are told once a second

    def enter(self, name: str, room: str) -> tuple[Step, ...]:
        """Say hello, then join."""
        return (
            Step(b'{"op":"hello","name":"%b"}\n' % name.encode(), b'"welcome"'),
            Step(b'{"op":"join","room":"%b"}\n' % room.encode(), b'"joined"'),
        )

    def say(self, room: str, text: bytes) -> bytes:
        """One ``say`` object."""
        return b'{"op":"say","room":"%b","text":"%b"}\n' % (room.encode(), text)


class Irc:
    """IRC, as far as one channel needs it (RFC 2812; the capabilities: IRCv3).

    Args:
        capabilities: Those that are asked for, separated by spaces. Whoever has labels puts one on each line.
    """

    newlines_per_line = 1
    newlines_per_answer = 0
    quiet_seconds = 1.2  # a server may gather who comes and goes, and tell it once a second

    def __init__(self, capabilities: str = "") -> None:
        wanted = capabilities.split()
        self.echoes = "echo-message" in wanted
        self._capabilities = capabilities.encode()
        self._label = b"@label=1 " if "labeled-response" in wanted else b""

    def enter(self, name: str, room: str) -> tuple[Step, ...]:
        """Register, then join; ACK, 001 and 366 (end of the names) are the answers."""
        register = f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode()
        welcome = f" 001 {name} ".encode()
        join = Step(f"JOIN #{room}\r\n".encode(), f" 366 {name} #{room} ".encode())
        if not self._capabilities:
            return (Step(register, welcome), join)
        request = b"CAP REQ :%b\r\n" % self._capabilities
        return (Step(request + register, b" ACK :"), Step(b"CAP END\r\n", welcome), join)

    def say(self, room: str, text: bytes) -> bytes:
        """One PRIVMSG."""
        return b"%bPRIVMSG #%b :%b\r\n" % (self._label, room.encode(), text)


class Redis:
    """Redis Pub/Sub: over RESP3 one connection may subscribe and publish, in inline commands."""

    echoes = True
    newlines_per_line = 7  # >3, $7, message, $n, the channel, $n, the text
    newlines_per_answer = 1  # :n
    quiet_seconds = 0.3

    def enter(self, name: str, room: str) -> tuple[Step, ...]:  # noqa: ARG002 - nobody has a name here
        """Switch to RESP3, then subscribe."""
        return (
            Step(b"HELLO 3\r\n", b"modules\r\n*"),
            Step(f"SUBSCRIBE {room}\r\n".encode(), f"subscribe\r\n${len(room)}\r\n{room}\r\n:1\r\n".encode()),
        )

    def say(self, room: str, text: bytes) -> bytes:
        """One PUBLISH."""
        return b"PUBLISH %b %b\r\n" % (room.encode(), text)


DIALECTS: dict[str, Dialect] = {
    "plain": Plain(),
    "json": JsonLines(),
    "irc": Irc(),
    "irc-tags": Irc(ALL_TAGS),
    "redis": Redis(),
}
"""The dialects by the names that a job uses."""


def spoken(names: str) -> tuple[Dialect, ...]:
    """The dialects that a crowd's connections speak in turn.

    Args:
        names: One name of `DIALECTS`, or several joined by ``+``, which count line ends alike: ``irc+irc-tags``.
    """
    return tuple(DIALECTS[name] for name in names.split("+"))
