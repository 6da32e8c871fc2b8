"""What an IRC client says of itself before it is registered. Knows values. Must not know what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Newcomer"]


@dataclass(slots=True)
class Newcomer:
    """A client that is not registered yet.

    Attributes:
        nick: The name that it wants; "" before ``NICK``.
        user: Its user name; "" before ``USER``.
        real: What it says its real name is.
        word: Of ``PASS``; "" for none.
        negotiates: Whether it has begun to ask for capabilities and has not ended that.
        host: Stands for its address.
        address: Its address.
    """

    nick: str = ""
    user: str = ""
    real: str = ""
    word: str = ""
    negotiates: bool = False
    host: str = "local.ip"
    address: str = ""
