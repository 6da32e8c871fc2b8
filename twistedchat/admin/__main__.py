"""``chatroom-admin``, or ``python -m twistedchat.admin``."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import NoReturn

from twistedchat import __version__
from twistedchat.stores.base import StoreError

__all__ = ["main"]

_EXAMPLES = """
examples:
  chatroom-admin move sqlite:chatroom.db postgresql://chat@db.example/chat
  chatroom-admin move postgresql://chat@db.example/chat sqlite:chatroom.db

  chatroom-admin hash alice >> operators

The target must have no events. Every room is there at the end, with its seqs, times and keys, or none is; the
source stays as it was. Stop the daemons of both first. A password comes from PGPASSFILE or ~/.pgpass.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatroom-admin",
        description="What an operator does to a chat room's log while no daemon runs on it, and to passwords.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXAMPLES,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"twistedchat {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    moving = commands.add_parser("move", help="move all rooms from one store to another, empty one")
    moving.add_argument("origin", metavar="FROM", help="sqlite:PATH or postgresql://USER@HOST/DATABASE")
    moving.add_argument("destination", metavar="TO", help="the same; it must have no events")
    hashing = commands.add_parser("hash", help="ask for a password, and print a line for the file of --oper")
    hashing.add_argument("name", metavar="NAME", help="the operator's, for OPER NAME PASSWORD")
    return parser


def _tell(sentence: str) -> None:
    sys.stderr.write(f"chatroom-admin: {sentence}\n")


def _hash(name: str) -> NoReturn:
    """Ask for a password, twice, and print a line for the file of ``--oper``."""
    from twistedchat.operators import OperatorsError, hash_line  # noqa: PLC0415  an extra

    try:
        password = getpass.getpass(f"Password of {name}: ")
        if not password or password != getpass.getpass("Again: "):
            sys.exit("chatroom-admin: that is not the same; nothing was printed.")
        sys.stdout.write(f"{hash_line(name, password)}\n")
    except OperatorsError as error:
        sys.exit(f"chatroom-admin: {error}")
    except (EOFError, KeyboardInterrupt):
        sys.exit("chatroom-admin: interrupted; nothing was printed.")
    sys.exit(0)


def main() -> NoReturn:
    """Be the ``chatroom-admin`` command."""
    chosen = _parser().parse_args()
    if chosen.command == "hash":
        _hash(chosen.name)
    from twistedchat.admin.move import move  # noqa: PLC0415  --help needs none of it

    try:
        moved = move(chosen.origin, chosen.destination, _tell)
    except StoreError as error:
        sys.exit(f"chatroom-admin: {error}")
    except KeyboardInterrupt:
        sys.exit("chatroom-admin: interrupted; nothing was moved.")
    sys.stdout.write(f"Moved: rooms {moved.rooms:,}, events {moved.events:,}, of these with keys {moved.keys:,}.\n")
    sys.exit(0)


if __name__ == "__main__":
    main()
