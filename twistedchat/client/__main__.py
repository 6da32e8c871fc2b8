"""``chatroom``, or ``python -m twistedchat.client``: picks the reactor, and is the exit status."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner

from twistedchat.client.connection import Connection
from twistedchat.client.desk import Desk
from twistedchat.client.options import parse_options
from twistedchat.client.pipe import Pipe
from twistedchat.client.stdio import StdioLines, blocking_again
from twistedchat.client.terminal import PlainTerminal
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.base import ReactorBase

    from twistedchat.client.conversation import Conversation
    from twistedchat.client.options import Options

__all__ = ["main"]


class Client:
    """One life of the client, from the first connection to the exit status.

    Args:
        reactor: The reactor, not running yet.
        options: What the person has chosen.
    """

    def __init__(self, reactor: ReactorBase, options: Options) -> None:
        self._reactor = reactor
        self._options = options
        self._life: Deferred[None] | None = None
        self._interrupt: Callable[[], None] | None = None
        self.status = 0

    def run(self) -> int:
        """Be in the room until the end; returns the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._signalled))
        self._reactor.callWhenRunning(self._start)
        self._reactor.run(installSignalHandlers=False)
        return self.status

    def _start(self) -> None:
        self._life = Deferred.fromCoroutine(self._live())
        self._life.addBoth(lambda _: self._reactor.stop())

    def _signalled(self) -> None:
        """The first signal is for leaving in good order, a second one for leaving at once."""
        interrupt, self._interrupt = self._interrupt, None
        if interrupt is not None:
            interrupt()
        elif self._life is not None:
            self._life.cancel()

    async def _live(self) -> None:
        try:
            await (self._pipe() if self._options.json or not sys.stdin.isatty() else self._terminal())
        except CancelledError:
            pass
        except ChatError as error:
            self._fail(error.text)
        except Exception as error:  # a person can do nothing with a traceback
            self._fail(f"this is a mistake in the program: {error!r}")

    def _fail(self, sentence: str) -> None:
        self.status = 1
        os.write(2, f"chatroom: {sentence}\n".encode(errors="replace"))

    async def _pipe(self) -> None:
        options = self._options
        pipe = Pipe(
            self._reactor,
            options.name,
            numbered=not options.name_given,
            as_json=options.json,
            wait_seconds=options.wait,
        )
        pipe.room, *_ = [pipe.conversation.join(name) for name in options.room]
        connection = await self._connect(pipe.conversation)
        pipe.stream = stdio = StdioLines(pipe)
        self._interrupt = pipe.interrupt
        StandardIO(stdio, reactor=self._reactor)
        await pipe.done
        await connection.close()
        stdio.finish()
        if pipe.trouble:
            self._fail(pipe.trouble)
        elif pipe.unstored:
            self.status = 1

    async def _terminal(self) -> None:
        options = self._options
        desk = Desk(options.name, self._reactor.seconds, numbered=not options.name_given)
        terminal = PlainTerminal(desk)
        for name in reversed(options.room):
            desk.enter(name)
        connection = await self._connect(desk.conversation)
        terminal.stream = stdio = StdioLines(terminal)
        self._interrupt = terminal.interrupt
        StandardIO(stdio, reactor=self._reactor)
        await terminal.done
        await connection.close()
        stdio.finish()

    async def _connect(self, conversation: Conversation) -> Connection:
        address = self._options.address
        try:
            endpoint = address.endpoint(self._reactor)
        except ValueError as error:
            raise ChatError("bad-address", str(error)) from error
        connection = Connection(self._reactor, endpoint, address.text, conversation)
        await connection.open()
        return connection


def main() -> NoReturn:
    """Be the ``chatroom`` command."""
    options = parse_options(sys.argv[1:], os.environ)
    # What Twisted logs is for programmers, and would be written across what is shown.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    from twisted.internet import reactor  # noqa: PLC0415, TID251  this is where one is picked

    with blocking_again():
        status = Client(cast("ReactorBase", reactor), options).run()
    sys.exit(status)


if __name__ == "__main__":
    main()
