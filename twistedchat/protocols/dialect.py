"""What a connection needs of whoever understands its lines. Must not know any dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from twisted.internet.defer import Deferred

__all__ = ["Dialect"]


class Dialect(Protocol):
    """What one peer speaks; one is made for each connection.

    `line` and `too_long` are called one at a time: not before what they returned has finished.
    """

    unanswered: int
    """How many lines were accepted and are not yet stored or refused."""

    @property
    def has_seen_all(self) -> bool:
        """Whether all that stands in the logs has been shown to the peer."""
        ...

    def greet(self) -> None:
        """Say something to a peer that has just connected."""
        ...

    def line(self, line: bytes) -> Coroutine[Deferred[None], None, None] | None:
        """Do what a line asks, and answer."""
        ...

    def too_long(self) -> None:
        """Answer for a line that was too long, and is gone."""
        ...

    def drained(self) -> None:
        """The wire has room again."""
        ...

    def goodbye(self, text: str) -> None:
        """The server closes the connection: say so."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...
