"""What the clients say: most of it short, some of it long or full of what is awkward to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

__all__ = ["filler", "kind"]

_AWKWARD = (
    "",
    "a\x00b",
    "\u202eabc",
    "\U0001f642 ünïcödé",
    "\"\\'; DROP TABLE",
    "tab\tand\nfeed",
    "\x1b[31m",
    "\x00" * 50,
)
"""Texts that only a program can send: a NUL, a line feed, what turns the direction of writing …"""


def filler(chance: random.Random, *, typed: bool) -> str:
    """What stands behind the mark of a line.

    Args:
        chance: Chooses.
        typed: Whether a person types it, on one line and without control characters.
    """
    drawn = chance.random()
    if drawn < 0.02:
        return f" {'long ' * chance.randrange(100, 790)}".rstrip()
    if drawn < 0.06 and not typed:
        return f" {chance.choice(_AWKWARD)}".rstrip(" ")
    return f" line {chance.randrange(10**6)}"


def kind(chance: random.Random) -> str:
    """``say``, ``me`` or ``topic``."""
    return chance.choices(("say", "me", "topic"), (90, 8, 2))[0]
