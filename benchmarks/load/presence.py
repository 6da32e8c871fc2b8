"""Whom somebody who came into a room was told of, by IRC: those who were there, and those who came later."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.checks import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["told"]

_NAMES = re.compile(rb"(?m)^(?:@\S+ )?:\S+ 353 \S+ \S+ \S+ :?(.*)")
_JOIN = re.compile(rb"(?m)^(?:@\S+ )?:([^!\s]+)!\S+ JOIN ")
_RANKS = b"~&@%+"
"""What may stand before a name. Source: PREFIX of InspIRCd and ngIRCd."""


def told(heard: bytes, name: str, others: Collection[str]) -> Verdict:
    """Judge what one member has heard since it connected.

    Args:
        heard: All of it.
        name: The member's own name, of whom it is told twice: its JOIN, and among the names.
        others: All others who are in the room by now.

    Returns:
        ``lost``: whom it does not know of; ``doubled``: how often it was told again of somebody, or of a stranger.
    """
    there = [each.lstrip(_RANKS) for names in _NAMES.findall(heard) for each in names.split()]
    known = Counter([*there, *_JOIN.findall(heard)])
    wanted = Counter({each.encode(): 1 for each in others}) + Counter({name.encode(): 2})
    return Verdict(lost=(wanted - known).total(), doubled=(known - wanted).total())
