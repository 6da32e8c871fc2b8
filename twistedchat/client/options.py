"""The client's command line, environment and configuration file. Must not do anything."""

from __future__ import annotations

import argparse
import getpass
import math
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from typing_extensions import override

from twistedchat import __version__
from twistedchat.client.address import addresses
from twistedchat.client.completions import SHELLS, completion_script
from twistedchat.client.settings import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twistedchat.client.address import Address

__all__ = ["ClientOptions", "Start", "parse_options"]

_EXAMPLES = """
examples:
  chatroom                                  the room on this machine
  chatroom example.org                      one elsewhere, on port 6622
  chatroom --name alice example.org:7000    another port, and a name of your choice
  chatroom a.example b.example              servers that share their rooms: when one is lost, the next
  echo done | chatroom --name backup        say a line, wait until it is stored
  tail -f app.log | chatroom --name app --room ops
  chatroom --json --state seen.json --wait inf </dev/null | jq -r .text
                                            every event once, over all restarts
  chatroom tls:example.org:6697             any Twisted client endpoint string
  chatroom --completion bash >> ~/.bashrc   Tab for these options

In a terminal /help lists what can be typed. Defaults come from CHATROOM_SERVER, CHATROOM_NAME and
CHATROOM_ROOM, and from ~/.config/twistedchat/client.toml: server, name, room, tls, plain, bell, seq, presence.
"""

_CONFIGURED: Mapping[str, tuple[type, ...]] = {
    "server": (str, list),
    "name": (str,),
    "room": (str, list),
    "tls": (bool,),
    "plain": (bool,),
    "bell": (bool,),
    "seq": (bool,),
    "presence": (bool,),
}


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin in the rooms' logs.

    Attributes:
        after: After this seq; None for the server's choice.
        since: At this seq or time of day.
        no_history: With what is said from now on.
        state: Where the run stopped that last used this file.
    """

    after: int | None
    since: str | None
    no_history: bool
    state: Path | None


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What the person has chosen.

    Attributes:
        addresses: Where the servers are that share their rooms, at least one; the first is tried first.
        name: The name to go by.
        name_given: Whether the person chose it; another may be taken in its stead if not.
        rooms: The rooms to enter; the first is the one to talk in.
        plain: Whether to write lines rather than to use the full screen.
        json: Whether to write events as they are on the wire.
        wait: Seconds to stay after the end of the input.
        start: Where to begin.
        settings: Switches of ``/set`` that the configuration file sets.
    """

    addresses: list[Address]
    name: str
    name_given: bool
    rooms: list[str]
    plain: bool
    json: bool
    wait: float
    start: Start
    settings: dict[str, bool]


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


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no seq: write a whole number from 0.")
    return int(text)


def _parser() -> _Parser:
    parser = _Parser(
        prog="chatroom",
        description="Talk in a chatroom: in a terminal, or in a pipe.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "server",
        nargs="*",
        metavar="HOST[:PORT]",
        help="where the server is (default: localhost); several, if they share their rooms",
    )
    parser.add_argument("-n", "--name", help="the name to go by (default: yours on this machine)")
    parser.add_argument("-r", "--room", action="append", help="a room to enter; can be given more than once")
    parser.add_argument("--version", action="version", version=f"twistedchat {__version__}")
    parser.add_argument("--tls", action="store_true", default=None, help="connect with TLS, and check the certificate")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--after", type=_seq, metavar="SEQ", help="begin with what came after this event")
    begin.add_argument("--since", metavar="SEQ|HH:MM", help="begin after this event, or at this time of day")
    begin.add_argument("--no-history", action="store_true", help="begin with what is said from now on")
    parser.add_argument("--state", type=Path, metavar="FILE", help="begin where the last run with this file stopped")
    parser.add_argument("--json", action="store_true", help="write events as JSON, one a line, as on the wire")
    parser.add_argument(
        "--wait", type=_seconds, default=0.0, metavar="SECONDS", help="stay after the end of the input; inf for ever"
    )
    parser.add_argument(
        "--plain", action="store_true", default=None, help="only lines, no full screen: for a screen reader"
    )
    parser.add_argument("--completion", choices=SHELLS, help="print a script that completes these options, and exit")
    return parser


def parse_options(arguments: Sequence[str], environ: Mapping[str, str]) -> ClientOptions:
    """Read the command line, the environment and the configuration file, in this order of weight.

    Raises:
        SystemExit: Something is wrong, and one sentence on stderr says what; or help was asked for.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.completion:
        sys.stdout.write(completion_script(given.completion, parser))
        parser.exit()
    try:
        configured = _configuration(environ)
        configured |= {name: environ[f"CHATROOM_{name.upper()}"] for name in _IN_ENVIRON if _set(environ, name)}
        return _options(given, configured, environ)
    except ValueError as error:
        parser.error(str(error))


_IN_ENVIRON = ("server", "name", "room")


def _set(environ: Mapping[str, str], name: str) -> bool:
    return bool(environ.get(f"CHATROOM_{name.upper()}"))


def _options(given: argparse.Namespace, configured: Mapping[str, Any], environ: Mapping[str, str]) -> ClientOptions:
    """The command line, completed by what was not given on it."""

    def choice(name: str) -> Any:
        value = getattr(given, name)
        return configured.get(name) if value in (None, []) else value

    name, rooms, server = choice("name"), choice("room"), choice("server")
    return ClientOptions(
        addresses=addresses(server if isinstance(server, list) else _words(server), tls=bool(choice("tls"))),
        name=name or _own_name(environ),
        name_given=bool(name),
        rooms=[str(room) for room in rooms] if isinstance(rooms, list) else [str(rooms or "lobby")],
        plain=bool(choice("plain")),
        json=given.json,
        wait=given.wait,
        start=Start(given.after, given.since, given.no_history, given.state),
        settings={name: bool(configured[name]) for name in SWITCHES if name in configured},
    )


def _words(server: str | None) -> list[str]:
    """Addresses as they stand in the environment or the configuration file, with spaces between."""
    return (server or "").split() or ["localhost"]


def _configuration(environ: Mapping[str, str]) -> dict[str, object]:
    """What stands in the configuration file, if there is one.

    Raises:
        ValueError: It has a mistake.
    """
    folder = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '~')}/.config"
    path = Path(folder).expanduser() / "twistedchat" / "client.toml"
    try:
        found: dict[str, object] = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} can't be read: {error}") from error
    for name, value in found.items():
        if name not in _CONFIGURED or not isinstance(value, _CONFIGURED[name]):
            raise ValueError(f"{path}: {name} = {value!r} is none of {', '.join(_CONFIGURED)}, or of another type.")
    return found


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
