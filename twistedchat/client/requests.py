"""Requests over the present connection, and their answers. Knows a `Link`; must not know what is asked."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred, fail

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.python.failure import Failure

    from twistedchat.client.messages import Answer

__all__ = ["Link", "Requests", "expect_refusal"]


class Link(Protocol):
    """A connection, as long as there is one."""

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message, in order."""
        ...

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a while, if this connection is not lost by then."""
        ...


class Requests:
    """Sends requests, and gives each its answer.

    Attributes:
        ready: Whether the server knows us now: `ask` is answered.
    """

    def __init__(self) -> None:
        self.ready = False
        self._link: Link | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[str | int | None, Deferred[Answer]] = {}

    def open(self, link: Link) -> None:
        """Send over this connection from now on."""
        self._link = link

    def lose(self, error: ChatError) -> None:
        """The connection is lost: what was asked over it fails with this error."""
        self._link = None
        self.ready = False
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            answer.errback(error)

    def ask(self, op: str, **fields: object) -> Deferred[Answer]:
        """Ask the server something, if it knows us.

        Returns:
            Its answer; fails with `ChatError`: what the server says is wrong, or ``not-connected``.
        """
        if not self.ready:
            return fail(ChatError("not-connected", "There is no connection to the server now: try again later."))
        return self.ask_early(op, **fields)

    def ask_early(self, op: str, **fields: object) -> Deferred[Answer]:
        """The same as `ask`, also before the server knows us."""
        id_ = next(self._ids)
        answer = self._waiting[id_] = Deferred()
        self.send({"op": op, "id": id_} | fields)
        return answer

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message, if there is a connection."""
        if self._link is not None:
            self._link.send(message)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a while, if the present connection is not lost by then."""
        if self._link is not None:
            self._link.call_later(seconds, function)

    def answered(self, answer: Answer) -> None:
        """Hand an answer to whoever asked."""
        waiting = self._waiting.pop(answer.re, None)
        if waiting is None:
            return
        if answer.error is not None:
            waiting.errback(answer.error)
        else:
            waiting.callback(answer)


def expect_refusal(failure: Failure) -> None:
    """An errback for requests whose refusal matters to nobody."""
    failure.trap(ChatError)
