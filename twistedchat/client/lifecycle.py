"""The client from its start to its exit status: picks the reactor, and wires the parts of each mode."""

from __future__ import annotations

import asyncio
import enum
import os
import signal
import sys
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.stdio import StandardIO
from twisted.internet.task import LoopingCall
from twisted.logger import globalLogBeginner

from twistedchat.client.address import servers
from twistedchat.client.connection import Connection
from twistedchat.client.controller import Controller
from twistedchat.client.history import place
from twistedchat.client.joined_rooms import END
from twistedchat.client.options import parse_options
from twistedchat.client.pipe import Pipe
from twistedchat.client.state import SAVE_SECONDS, State
from twistedchat.client.stdio import StdioLines, blocking_again
from twistedchat.client.terminal import PlainTerminal
from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twisted.internet.base import ReactorBase

    from twistedchat.client.conversation import Conversation
    from twistedchat.client.options import ClientOptions

__all__ = ["run_client"]


class Mode(enum.Enum):
    """For whom the client runs."""

    PIPE = enum.auto()  # a program
    PLAIN = enum.auto()  # a person, at a terminal that takes lines
    FULL = enum.auto()  # a person, at a full terminal


class Client:
    """One run of the client, from the first connection to the exit status.

    Args:
        reactor: The reactor, not running yet.
        options: What the person has chosen.
        mode: For whom it runs.
    """

    def __init__(self, reactor: ReactorBase, options: ClientOptions, mode: Mode) -> None:
        self._reactor = reactor
        self._options = options
        self._mode = mode
        self._running: Deferred[None] | None = None
        self._left = False
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
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addBoth(lambda _: self._reactor.stop())

    def _signalled(self) -> None:
        """The first signal is for leaving in good order, a second one for leaving at once."""
        interrupt, self._interrupt = self._interrupt, None
        if interrupt is not None:
            interrupt()
        elif self._running is not None:
            # Whatever fails from now on fails because of that.
            self._left = True
            self.status = int(self._mode is Mode.PIPE)
            self._running.cancel()

    async def _run(self) -> None:
        try:
            match self._mode:
                case Mode.PIPE:
                    await self._pipe()
                case Mode.PLAIN:
                    await self._plain()
                case Mode.FULL:
                    await self._full()
        except CancelledError:
            pass
        except ChatError as error:
            self._fail(error.text)
        except Exception as error:  # a person can do nothing with a traceback
            self._fail(f"this is a mistake in the program: {error!r}")

    def _fail(self, sentence: str) -> None:
        if self._left:
            return
        self.status = 1
        self._warn(sentence)

    @staticmethod
    def _warn(sentence: str) -> None:
        os.write(2, f"chatroom: {sentence}\n".encode(errors="replace"))

    async def _pipe(self) -> None:
        options = self._options
        state = self._read_state()
        pipe = Pipe(
            self._reactor,
            options.name,
            numbered=not options.name_given,
            as_json=options.json,
            wait_seconds=options.wait,
            saw=state.saw if state else lambda _room, _seq: None,
            warn=self._warn,
        )
        connection = await self._connect(pipe.conversation)
        places = await self._places(pipe.conversation, state)
        pipe.room, *_ = [pipe.conversation.join(name, after) for name, after in places]
        pipe.stream = stdio = StdioLines(pipe)
        self._interrupt = pipe.interrupt
        StandardIO(stdio, reactor=self._reactor)
        saving = LoopingCall(state.save if state else lambda: None)
        saving.clock = self._reactor
        saving.start(SAVE_SECONDS).addErrback(pipe.fail)
        await pipe.done
        await connection.close()
        await stdio.finish()
        if saving.running:
            saving.stop()
        if state:
            state.save()
        if pipe.trouble:
            self._fail(pipe.trouble)
        elif pipe.unstored:
            self.status = 1

    async def _plain(self) -> None:
        state = self._read_state()
        controller = self._controller(state)
        terminal = PlainTerminal(controller)
        terminal.stream = stdio = StdioLines(terminal)
        connection = await self._enter(controller, state)
        self._interrupt = terminal.interrupt
        StandardIO(stdio, reactor=self._reactor)
        await terminal.done
        await connection.close(controller.farewell)
        await stdio.finish()
        if state:
            state.save()

    async def _full(self) -> None:
        from twistedchat.client.screen import TerminalScreen  # noqa: PLC0415  a third of a second that a pipe does not need

        state = self._read_state()
        controller = self._controller(state)
        screen = TerminalScreen(controller, coloured=not os.environ.get("NO_COLOR"), state=state)
        # A person reads back where a program has to be told everything.
        connection = await self._enter(controller, None)
        self._interrupt = screen.interrupt
        await screen.run()
        await connection.close(controller.farewell)
        if state:
            state.save()

    def _read_state(self) -> State | None:
        path = self._options.start.state
        return State(path, [address.text for address in self._options.addresses]) if path else None

    def _controller(self, state: State | None) -> Controller:
        options = self._options
        controller = Controller(
            options.name, self._reactor.seconds, numbered=not options.name_given, saw=state.saw if state else None
        )
        controller.settings.switch(options.settings)
        return controller

    async def _enter(self, controller: Controller, state: State | None) -> Connection:
        connection = await self._connect(controller.conversation)
        places = await self._places(controller.conversation, state)
        rooms = [controller.conversation.join(name, after) for name, after in places]
        controller.talk_in(rooms[0])
        return connection

    async def _places(self, conversation: Conversation, state: State | None) -> list[tuple[str, int | None]]:
        """The rooms to enter, each with the seq after which to begin."""
        return [(name, await self._place(conversation, name, state)) for name in self._options.rooms]

    async def _place(self, conversation: Conversation, name: str, state: State | None) -> int | None:
        start = self._options.start
        remembered = state.last(name.removeprefix("#")) if state else None
        if remembered is not None:
            return remembered
        if start.no_history:
            return END
        if start.since is None:
            return start.after
        try:
            return await place(conversation, name, start.since, self._reactor.seconds())
        except ChatError as error:
            if error.code == "no-such-room":
                return None
            raise

    async def _connect(self, conversation: Conversation) -> Connection:
        try:
            known = servers(self._reactor, self._options.addresses)
        except ValueError as error:
            raise ChatError("bad-address", str(error)) from error
        connection = Connection(self._reactor, known, conversation)
        await connection.open()
        return connection


def choose(options: ClientOptions, environ: Mapping[str, str]) -> Mode:
    """The mode that standard input and output allow."""
    if options.json or not sys.stdin.isatty():
        return Mode.PIPE
    if options.plain or not sys.stdout.isatty() or environ.get("TERM", "dumb") in {"dumb", ""}:
        return Mode.PLAIN
    return Mode.FULL


def pick_reactor(mode: Mode) -> ReactorBase:
    """Twisted's own, or for prompt_toolkit the one on asyncio's loop."""
    if mode is Mode.FULL:
        from twisted.internet import asyncioreactor  # noqa: PLC0415

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        asyncioreactor.install(loop)
    from twisted.internet import reactor  # noqa: PLC0415, TID251  this is where one is picked

    return cast("ReactorBase", reactor)


def run_client(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Be the ``chatroom`` command; returns the exit status."""
    options = parse_options(arguments, environ)
    # What Twisted logs is for programmers, and would be written across what is shown.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    mode = choose(options, environ)
    with blocking_again():
        return Client(pick_reactor(mode), options, mode).run()
