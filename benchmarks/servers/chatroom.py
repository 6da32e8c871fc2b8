"""This project's daemon, as it comes: with its store on the disk, spoken to in all its ways.

The daemon of another checkout is run in the same way, so that a change and the commit before it stand in one table.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from pathlib import Path

from benchmarks.compared import PAIRS
from benchmarks.servers.base import Missing, Server, installed

__all__ = [
    "CHATROOM",
    "CHATROOM_IRC",
    "CHATROOM_IRC_HALF",
    "CHATROOM_IRC_TAGS",
    "CHATROOM_JSON",
    "CHECKOUT",
    "beside",
    "python_of",
    "twistd",
    "with_rate",
]

CHECKOUT = Path(__file__).resolve().parents[2]
"""The checkout that this suite is in."""


def twistd(checkout: Path) -> str:
    """The ``twistd`` that runs a checkout's daemon.

    Raises:
        Missing: It is not installed.
    """
    if checkout == CHECKOUT:
        own = Path(sys.executable).with_name("twistd")
        return str(own) if own.exists() else installed("twistd")
    return _in_venv(checkout, "twistd")


def _in_venv(checkout: Path, program: str) -> str:
    path = checkout / ".venv" / "bin" / program
    if not path.exists():
        raise Missing(f"{path} is not there: python3 -m venv .venv && .venv/bin/pip install . makes it")
    return str(path)


def python_of(checkout: Path) -> str:
    """The interpreter in which a checkout's package is installed.

    Raises:
        Missing: The checkout has no environment of its own.
    """
    return sys.executable if checkout == CHECKOUT else _in_venv(checkout, "python")


def _chatroom(checkout: Path, dialect: str, rate: str, folder: Path, port: int) -> list[str]:
    store = f"sqlite:{folder / 'chatroom.db'}"
    start = [twistd(checkout), "-n", "--pidfile=", "chatroom"]
    ports = ["--port", str(port)]
    if dialect.startswith("irc"):
        ports = ["--port", f"unix:{folder / 'chat.sock'}", "--irc", f"tcp:{port}:interface=127.0.0.1"]
    return [*start, *ports, "--store", store, "--rate", rate]


def _server(name: str, dialect: str, settings: str, checkout: Path) -> Server:
    command = functools.partial(_chatroom, checkout, dialect, "0")
    return Server(name, dialect, command, at_once=40, settings=settings, checkout=checkout)


CHATROOM = _server("chatroom", "plain", "no rate limit; sync=full", CHECKOUT)
CHATROOM_JSON = _server("chatroom-json", "json", "the same, in JSON lines", CHECKOUT)
CHATROOM_IRC = _server("chatroom-irc", "irc", "the same, IRC without capabilities", CHECKOUT)
CHATROOM_IRC_TAGS = _server("chatroom-irc-tags", "irc-tags", "the same, IRC with all tags", CHECKOUT)
CHATROOM_IRC_HALF = _server("chatroom-irc-half", "irc+irc-tags", "the same, half of them with all tags", CHECKOUT)


def beside(ours: Server, checkout: Path) -> Server:
    """The same server from another checkout of this project.

    Args:
        ours: One of this checkout.
        checkout: The other checkout's folder, with an environment in ``.venv``.
    """
    return _server(PAIRS[ours.name], ours.dialect, f"the same, from {checkout.name}", checkout)


def with_rate(ours: Server, rate: str) -> Server:
    """The same server with a rate limit.

    Args:
        ours: A server of this project, from whichever checkout.
        rate: What ``--rate`` takes, such as ``20/200``; "0" is no limit.
    """
    assert ours.checkout is not None  # noqa: S101 - only this module makes such servers
    return dataclasses.replace(ours, command=functools.partial(_chatroom, ours.checkout, ours.dialect, rate))
