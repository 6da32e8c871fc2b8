"""How a person is seen by others, beside the name.

Knows values. Must not know who is here, nor how a connection is made.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import NamedTuple

__all__ = ["PAST", "Profile", "host_of", "source"]

PAST = "~past@log"
"""User and host of somebody who is gone, or whose name is another's by now. Source: docs/irc.md, "Names"."""

_HOST_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_HOST_LETTERS = 10
"""Length of what stands for an address, in letters and digits. Source: docs/irc.md, "Names"."""


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


def host_of(address: str, key: bytes) -> str:
    """What stands for an address: the same for the same address, and nobody can tell the address from it.

    Args:
        address: An IP address, of which for IPv6 the network of 64 bits counts; "" for a UNIX socket.
        key: Secret, up to 64 bytes.
    """
    if not address:
        return "local.ip"
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "local.ip"
    packed = ip.packed
    if isinstance(ip, ipaddress.IPv6Address):
        packed = ip.ipv4_mapped.packed if ip.ipv4_mapped else packed[:8]
    number = int.from_bytes(hashlib.blake2b(packed, digest_size=8, key=key).digest(), "big")
    letters = ""
    for _ in range(_HOST_LETTERS):
        number, digit = divmod(number, len(_HOST_ALPHABET))
        letters += _HOST_ALPHABET[digit]
    return f"{letters}.ip"
