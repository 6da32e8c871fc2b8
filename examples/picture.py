# ruff: noqa: INP001
"""Draws the client as a picture: ``python picture.py [HOST[:PORT]] > client.svg``, with pyte installed.

Runs the client in a terminal of its own, lets some people talk, and writes what stands on its screen as SVG.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from html import escape

import pyte

COLUMNS, ROWS = 80, 20
CELL_WIDTH, CELL_HEIGHT = 8.4, 18
LIGHT, DARK = "#d8d8d8", "#16181d"
CLIENT = [sys.executable, "-m", "twistedchat.client"]
ROOM = "picture"

TALK = (
    ("bob", "Morning! The new release is out."),
    ("Ольга", "Отлично, уже обновляю."),
    ("健太", "こちらも大丈夫です 🎉"),
    ("bob", "ann: can you say something to #ops?"),
)


def main(server: str) -> None:
    """Write the picture to standard output."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def watch(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                stream.feed(os.read(master, 65536))

    environment = os.environ | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_24_BIT",
    }
    command = [*CLIENT, "--no-history", "--name", "ann", "--room", ROOM, "--room", "ops", server]
    with subprocess.Popen(command, stdin=slave, stdout=slave, env=environment) as client:  # noqa: S603  our own
        watch(2)
        for name, text in TALK:
            say(server, name, ROOM, text)
        os.write(master, b"On my way.\r")
        say(server, "Ольга", "ops", "All green here.")
        watch(1)
        os.write(master, b"and now I am typ")
        watch(1)
        sys.stdout.write(svg(screen))
        os.write(master, b"\x15/quit\r")
        watch(1)
        client.wait(5)


def say(server: str, name: str, room: str, text: str) -> None:
    """Somebody says something."""
    command = [*CLIENT, "--json", "--name", name, "--room", room, server]
    subprocess.run(command, input=text.encode(), stdout=subprocess.DEVNULL, check=True)  # noqa: S603  our own


def svg(screen: pyte.Screen) -> str:
    """The screen, each character in its cell."""
    width, height = COLUMNS * CELL_WIDTH + 20, ROWS * CELL_HEIGHT + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}"',
        ' font-family="monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="6" fill="{DARK}"/>',
    ]
    for row in range(ROWS):
        for column in range(COLUMNS):
            parts += cell(screen.buffer[row][column], 10 + column * CELL_WIDTH, 10 + row * CELL_HEIGHT)
    cursor = screen.cursor
    x, y = 10 + cursor.x * CELL_WIDTH, 10 + cursor.y * CELL_HEIGHT
    parts.append(
        f'<rect x="{x:.1f}" y="{y}" width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{LIGHT}" opacity="0.6"/>'
    )
    return "\n".join([*parts, "</svg>", ""])


def cell(character: pyte.screens.Char, x: float, y: float) -> list[str]:
    """One character, and what is behind it."""
    front = LIGHT if character.fg == "default" else "#888" if character.fg == "brightblack" else f"#{character.fg}"
    back = DARK
    if character.reverse:
        front, back = back, front
    parts = []
    if back != DARK:
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{CELL_WIDTH + 0.5}" height="{CELL_HEIGHT}" fill="{back}"/>')
    if character.data.strip():
        bold = ' font-weight="bold"' if character.bold else ""
        parts.append(f'<text x="{x:.1f}" y="{y + 14}" fill="{front}"{bold}>{escape(character.data)}</text>')
    return parts


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "localhost")
