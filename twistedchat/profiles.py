"""How a person is seen by others, beside the name.

Knows values. Must not know who is here, nor how a connection is made.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Profile", "source"]


class Profile(NamedTuple):
    """What others may know of a person.

    Attributes:
        user: The name that the person's program gives, without ``~``.
        host: Stands for the address, and does not tell it.
        real: Any text about the person.
        away: Why the person is not there; "" if it is.
        modes: Letters of IRC's user modes: ``B`` a bot, ``i`` no mask finds it, ``o`` an operator, ``w`` gets wallops.
        since: When the person took the name, in milliseconds since 1970.
        door: ``plain``, ``json`` or ``irc``.
        address: The peer's, for operators; "" if it is not known.
    """

    user: str
    host: str
    real: str = ""
    away: str = ""
    modes: str = ""
    since: int = 0
    door: str = "plain"
    address: str = ""


def source(name: str, profile: Profile) -> str:
    """``name!~user@host``: how IRC and its masks see a person."""
    return f"{name}!~{profile.user}@{profile.host}"
