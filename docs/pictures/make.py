"""Makes the README's picture: a real daemon, a real telnet and nc in tmux, a kill -9, and what the screens show.

Run it with the project's environment: ``python docs/pictures/make.py``. It needs telnet, nc and tmux.
"""

from __future__ import annotations

import contextlib
import html
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PORT = 26622
CHARACTER, LINE = 8.4, 19
"""A character's width and a line's height in pixels, at a font size of 14."""


def wait_for(what: Callable[[], bool]) -> None:
    """Come back when it is so; give up after ten seconds."""
    deadline = time.monotonic() + 10
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("the screen never showed what it should")
        time.sleep(0.05)  # another process's screen can only be looked at


def listens() -> bool:
    """Whether the daemon takes connections."""
    with contextlib.suppress(OSError):
        socket.create_connection(("localhost", PORT)).close()
        return True
    return False


class Terminal:
    """A program in a tmux session of its own."""

    def __init__(self, name: str, command: str) -> None:
        self._name = f"{name}-{PORT}"
        shown = shlex.quote(f"$ {command}")
        shell = f"printf '%s\\n' {shown}; {command}; sleep 60"
        subprocess.run(["tmux", "new-session", "-d", "-s", self._name, "-x", "76", "-y", "20", shell], check=True)

    def type(self, line: str, then: str) -> None:
        """Type a line, and wait until the screen shows something."""
        subprocess.run(["tmux", "send-keys", "-t", self._name, "-l", line], check=True)
        subprocess.run(["tmux", "send-keys", "-t", self._name, "Enter"], check=True)
        self.wait(then)

    def wait(self, text: str) -> None:
        """Wait until the screen shows a text."""
        wait_for(lambda: text in "\n".join(self.screen()))

    def screen(self) -> list[str]:
        """The lines on the screen."""
        command = ["tmux", "capture-pane", "-p", "-t", self._name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.rstrip().split("\n")

    def close(self) -> None:
        """End the session, and what runs in it."""
        subprocess.run(["tmux", "kill-session", "-t", self._name], check=False)


@contextlib.contextmanager
def daemon(folder: str, stop: signal.Signals) -> Iterator[None]:
    """A chat room; ended by a signal."""
    command = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom", "--port", str(PORT)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        wait_for(listens)
        yield
    finally:
        process.send_signal(stop)
        process.wait()


def conversation() -> list[list[str]]:
    """Talk, kill the daemon, look again; the screens."""
    terminals: list[Terminal] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as closing:
        with daemon(folder, signal.SIGKILL):
            for name, program in (("alice", "telnet"), ("bob", "nc")):
                terminal = Terminal(name, f"{program} localhost {PORT}")
                closing.callback(terminal.close)
                terminal.wait("What is your name?")
                terminals.append(terminal)
            alice, bob = terminals
            alice.type("alice", "You are alice")
            bob.type("bob", "You are bob")
            alice.type("hello, here is 日本, Ü and я", "alice: hello")
            bob.type("/me waves", "* bob waves")
            alice.type("what if the server is killed now?", "alice: what if")
            bob.wait("alice: what if")
        with daemon(folder, signal.SIGTERM):
            again = Terminal("again", f"printf 'carol\\nnothing is gone\\n' | nc -N localhost {PORT}")
            closing.callback(again.close)
            again.wait("carol: nothing")
            return [terminal.screen() for terminal in (*terminals, again)]


def svg(screens: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Screens with a title each, one below the other."""
    width = round(78 * CHARACTER + 40)
    body, top = [], 10
    for title, lines in screens:
        height = (len(lines) + 1) * LINE + 30
        body.append(f'<rect x="10" y="{top}" width="{width - 20}" height="{height}" rx="8" fill="#16181d"/>')
        body.append(f'<text x="24" y="{top + 22}" fill="#8b93a5" font-weight="bold">{html.escape(title)}</text>')
        for number, line in enumerate(lines):
            colour = "#7fd18b" if line.startswith("***") else "#8b93a5" if line.startswith(("$", "---")) else "#e6e6e6"
            y = top + 46 + number * LINE
            body.append(f'<text x="24" y="{y}" fill="{colour}" xml:space="preserve">{html.escape(line)}</text>')
        top += height + 12
    style = "font-family='ui-monospace, Menlo, Consolas, monospace' font-size='14'"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" {style}>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def main() -> None:
    """Write the picture beside this file."""
    titles = ("alice, at telnet", "bob, at nc", "kill -9, the daemon is started again, and carol comes")
    screens = [[line.replace(str(PORT), "6622") for line in screen] for screen in conversation()]
    Path(__file__).with_name("room.svg").write_text(svg(list(zip(titles, screens, strict=True))), encoding="utf-8")


if __name__ == "__main__":
    main()
