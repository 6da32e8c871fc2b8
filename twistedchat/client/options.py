"""The client's command line. Knows what may be said there; must not do anything."""

from __future__ import annotations

import argparse
import getpass
import math
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from twistedchat.client.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Options", "parse_options"]

_EXAMPLES = """
examples:
  chatroom                                  the room on this machine
  chatroom example.org                      one elsewhere, on port 6622
  chatroom --name alice example.org:7000    another port, and a name of your choice
  echo done | chatroom --name backup        say a line, wait until it is stored
  chatroom tls:example.org:6697             any Twisted client endpoint string
"""


class Options(argparse.Namespace):
    """What the person has chosen.

    Attributes:
        address: Where the server is.
        name: The name to go by.
        name_given: Whether the person chose it; another may be taken in its stead if not.
        room: The rooms to enter; the first is the one to talk in.
        json: Whether to write events as they are on the wire.
        wait: Seconds to stay after the end of the input.
    """

    address: Address
    name: str
    name_given: bool
    room: list[str]
    json: bool
    wait: float


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        """One sentence instead of the whole usage."""
        self.exit(2, f"chatroom: {message} (chatroom --help lists the options)\n")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds.")
    return seconds


def parse_options(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Read the command line.

    Raises:
        SystemExit: It is wrong, and one sentence on stderr says what; or help was asked for.
    """
    parser = _Parser(
        prog="chatroom",
        description="Talk in a chatroom: in a terminal, or in a pipe.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("server", nargs="?", default="localhost", metavar="HOST[:PORT]", help="where the server is")
    parser.add_argument("-n", "--name", help="the name to go by (default: yours on this machine)")
    parser.add_argument("-r", "--room", action="append", help="a room to enter; can be given more than once")
    parser.add_argument("--tls", action="store_true", help="connect with TLS, and check the certificate")
    parser.add_argument("--json", action="store_true", help="write events as JSON, one a line, as on the wire")
    parser.add_argument("--wait", type=_seconds, default=0.0, metavar="SECONDS", help="stay after the input's end")
    options = parser.parse_args(arguments, Options())
    try:
        options.address = Address.parse(options.server, tls=options.tls)
    except ValueError as error:
        parser.error(str(error))
    options.name_given = options.name is not None
    options.name = options.name or _own_name(environ)
    options.room = options.room or ["lobby"]
    return options


def _own_name(environ: Mapping[str, str]) -> str:
    """The person's name on this machine, as far as it can be one in a room."""
    name = environ.get("USER") or environ.get("LOGNAME")
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = ""
    name = "".join(character for character in name if character.isalnum() or character in "-_.")
    return name[:24] or "guest"
