"""The command line of ``twistd chatroom``. Knows what may be said there; must not do anything."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, NoReturn

from twisted.python import usage
from typing_extensions import override

from twistedchat import __version__
from twistedchat.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DEFAULT_PORT", "Options"]

DEFAULT_PORT = "6622"
"""Port that is listened on unless one is given. Source: docs/protocol.md."""

MOST_HISTORY = 500
"""Most events that are shown on joining: one page. Source: docs/protocol.md, ``history``."""

_EXAMPLES = """
Examples:
  twistd -n chatroom                          a room on port 6622, kept in ./chatroom.db
  twistd -n chatroom --port 7000 --store memory:
                                              one that forgets everything when it stops
  twistd -n chatroom --port tcp:6622:interface=127.0.0.1 --port unix:/run/chat.sock
                                              on this machine only, and on a UNIX socket
  twistd -n chatroom --port ssl:6697:privateKey=key.pem:certKey=cert.pem
                                              with TLS
  twistd -n chatroom --irc 6667               for IRC clients, too
  twistd --pidfile chat.pid --logfile chat.log chatroom --title "the workshop"
                                              in the background; kill $(cat chat.pid) stops it

Then enter it with: telnet localhost 6622, nc localhost 6622, or chatroom localhost
"""


def _number(text: str, least: float, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise usage.UsageError(f"{what} must be a number from {least:g}, not {text!r}.")
    return number


def _rate(text: str) -> tuple[float, float]:
    """``LINES`` or ``LINES/BURST``; the burst is ten times the rate if it is not given."""
    lines, slash, burst = text.partition("/")
    rate = _number(lines, 0, "--rate")
    return rate, max(1.0, _number(burst, 1, "The burst of --rate") if slash else 10 * rate)


def _login_timeout(text: str) -> float:
    return _number(text, 0.1, "--login-timeout")


def _history(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_HISTORY):
        raise usage.UsageError(f"--history must be a whole number from 0 to {MOST_HISTORY}, not {text!r}.")
    return int(text)


def _sync(text: str) -> str:
    if text not in {"full", "normal"}:
        raise usage.UsageError(f"--sync is full or normal, not {text!r}.")
    return text


_MEANINGS: dict[str, Callable[[str], object]] = {
    "sync": _sync,
    "rate": _rate,
    "login-timeout": _login_timeout,
    "history": _history,
}


class Options(usage.Options):
    """What the operator has chosen; by the names of the options, without their dashes."""

    optParameters: Sequence[tuple[str, str | None, str | None, str]] = [
        ("store", "s", "sqlite:chatroom.db", "Where the logs are kept: sqlite:PATH, postgresql://…, or memory:"),
        ("node", None, None, "Name of this node, where several share a database [default: the host's]"),
        ("sync", None, "full", "What a stored line survives: full, a power cut too; normal, kill -9"),
        ("rate", "r", "20/200", "LINES[/BURST] a second from one connection; 0 for no limit"),
        ("login-timeout", None, "60", "Seconds until a connection must have given a name"),
        ("title", "t", "the chatroom", "The server's public name"),
        ("history", None, "20", "How many events are shown on joining"),
        ("irc-name", None, "irc.chatroom", "The server's name as IRC clients see it"),
        ("oper", None, None, "File of operators: name:hash (chatroom-admin hash) or name password a line; mode 600"),
        ("health", None, None, "Serve GET /healthz over HTTP on this port or endpoint, for a load balancer"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self["port"] = []
        self["irc"] = []
        self["motd"] = []

    @override
    def getSynopsis(self) -> str:
        """How to call it."""
        return "Usage: twistd [options] chatroom [options]"

    @override
    def getUsage(self, width: int | None = None) -> str:
        """All options, and examples that can be pasted."""
        return f"{super().getUsage(width)}{_EXAMPLES}"

    def opt_port(self, value: str) -> None:
        """A port's number (on all interfaces), or any endpoint string; can be given more than once [default: 6622]."""
        self["port"].append(value)

    opt_p = opt_port

    def opt_irc(self, value: str) -> None:
        """A port or endpoint for IRC clients, such as 6667; can be given more than once [default: none]."""
        self["irc"].append(value)

    def opt_motd(self, value: str) -> None:
        """A line shown to whoever connects; can be given more than once."""
        self["motd"].append(safe(value))

    @override
    def opt_version(self) -> NoReturn:
        """Print the version and exit."""
        sys.stdout.write(f"twistedchat {__version__}\n")
        raise SystemExit

    @override
    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line.

        Raises:
            SystemExit: It is wrong; one line says what, without the whole usage, and the status is 1.
        """
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            raise SystemExit(f"chatroom: {error} (twistd chatroom --help lists the options)") from error

    @override
    def parseArgs(self, *args: str) -> None:
        """There is nothing but options."""
        if args:
            raise usage.UsageError(f"There are only options, and {args[0]!r} is none.")

    @override
    def postOptions(self) -> None:
        """Turn what was written into numbers, and fill in what can be given more than once."""
        self["port"] = self["port"] or [DEFAULT_PORT]
        self["title"] = safe(self["title"])
        for name, meaning in _MEANINGS.items():
            self[name] = meaning(self[name])
