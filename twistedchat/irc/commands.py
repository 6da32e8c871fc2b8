"""The table of an IRC client's commands: each family of them puts its part in.

Knows the form of an entry. Must not know what any of them does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.internet.defer import Deferred

    from twistedchat.irc.door import IrcDoor
    from twistedchat.irc.message import Message

    Answering = Coroutine[Deferred[Any], Any, None]
    """A command that may have to wait for something."""

__all__ = ["Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        run: Does it, and answers; what it returns is awaited before the next command.
        least: So many parameters it needs; with less it is answered by 461.
        is_early: Whether it may come before the client is registered.
        is_talk: Whether it may come while lines that were said before are not stored yet.
    """

    run: Callable[[IrcDoor, Message], Answering | None]
    least: int = 0
    is_early: bool = False
    is_talk: bool = False
