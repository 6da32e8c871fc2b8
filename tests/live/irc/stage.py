"""A lobby in which real IRC clients are, beside a person at telnet and a program."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, Self

from tests.cluster.proxy import Proxy
from tests.live.callers import Caller, Program, exchange, until
from tests.live.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from tests.live.irc.client import Client

__all__ = ["Stage"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Stage:
    """A daemon with a port for IRC, and everybody in its lobby; all of it ends with a ``with``.

    Args:
        folder: For the daemon and the clients' homes.
        options: Of the daemon.
        irc_is_apart: Whether IRC has a port of its own.

    Attributes:
        daemon: It.
        proxy: The way to it that the clients take, which can be cut.
        clients: Those that have come.
    """

    def __init__(self, folder: Path, *options: str, irc_is_apart: bool = True) -> None:
        port = _free_port()
        door = "irc" if irc_is_apart else "port"
        self.daemon = Daemon(folder, f"--{door}=tcp:{port}:interface=127.0.0.1", "--rate=0", *options)
        self.proxy = Proxy(port)
        self._port = port
        self.clients: list[Client] = []
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.daemon)
        self._stack.enter_context(self.proxy)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        assert fault or not self.daemon.trouble, self.daemon.log

    def come(self, *clients: type[Client], password: str = "") -> None:
        """Start clients and wait until they are in the lobby. Each is called by its program's name."""
        made = [kind(kind.program.partition("-")[0], self._folder, password) for kind in clients if kind.is_installed()]
        for client in made:
            self._stack.enter_context(client)
            client.start(self.proxy.port)
        self.clients += made
        self.wait_for_entries(1, made)

    @contextlib.contextmanager
    def another_way(self) -> Iterator[int]:
        """The port of a way to the daemon beside the one that all take."""
        with Proxy(self._port) as proxy:
            yield proxy.port

    def wait_for_entries(self, times: int, clients: Iterable[Client] | None = None) -> None:
        """Wait until clients have entered the lobby so often."""
        for client in self.clients if clients is None else clients:
            until(lambda client=client: client.entries() >= times, f"{client.name} is in: {client.log()}")  # type: ignore[misc]

    def person(self, name: str) -> Caller:
        """Somebody at telnet, in the lobby."""
        caller = self.daemon.caller()
        caller.say(name)
        exchange([caller], lambda: caller.heard("*** You are"), "the lobby is entered")
        return caller

    def program(self, name: str) -> Program:
        """A program, in the lobby."""
        program = self.daemon.program(name)
        program.call("join", room="lobby")
        return program

    def log(self, room: str = "lobby") -> list[dict[str, Any]]:
        """The daemon's log of a room, as a program is told it."""
        events: list[dict[str, Any]] = []
        with self._clerk() as clerk:
            while page := clerk.call("history", room=room, after=events[-1]["seq"] if events else 0)["events"]:
                events += page
        return events

    def roster(self, room: str = "lobby") -> list[str]:
        """Who is in a room, as a program is told it."""
        with self._clerk() as clerk:
            return list(clerk.call("who", room=room)["members"])

    @contextlib.contextmanager
    def _clerk(self) -> Iterator[Program]:
        """A program that asks and goes."""
        clerk = self.daemon.program("clerk")
        yield clerk
        clerk.ask("quit")
        exchange([clerk], lambda: clerk.over, "the clerk has left")

    # -- each client's log beside the daemon's ---------------------------------------------------

    def wait_until_shown(self, *texts: str, clients: Iterable[Client] | None = None) -> None:
        """Wait until clients have these lines in their logs."""
        for client in self.clients if clients is None else clients:
            until(
                lambda client=client: set(texts) <= set(client.texts()),  # type: ignore[misc]
                f"{client.name} is shown {texts}",
            )

    @staticmethod
    def judge(client: Client, log: list[dict[str, Any]], after: int = 0) -> tuple[list[str], list[str]]:
        """Put what a client has logged beside what stands in the daemon's log. Texts are each said once.

        Args:
            client: Whose log.
            log: The daemon's.
            after: What stands up to this seq is not looked for.

        Returns:
            The texts that it was not shown, and those that it was shown more than once.
        """
        shown = client.shown()
        stands = {event["text"]: event for event in log}
        for line in shown:
            event = stands.get(line.text)
            if event is None:
                continue
            assert line.kind == event["kind"], (client.name, line, event)
            assert line.who in {event["who"], ""}, (client.name, line, event)
        texts = [line.text for line in shown if line.text in stands]
        # Its own lines it draws when they are typed.
        others = [text for text in dict.fromkeys(texts) if stands[text]["who"] != client.name]
        assert others == sorted(others, key=lambda text: stands[text]["seq"]), (client.name, others)
        missing = [
            event["text"]
            for event in log
            if event["seq"] > after
            and event["kind"] != "topic"
            and event["text"] not in texts
            and (event["who"] != client.name or event["kind"] in client.draws)
        ]
        return missing, [text for text in dict.fromkeys(texts) if texts.count(text) > 1]
