"""The ranks and rules of one room: who has which rank, which rules are on, who is banned or invited.

State of now, that ends when the room's last member leaves. Knows names, masks and rules; `rules` says no by it.
Must not know who is in the room, nor how anybody is told of a change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from twistedchat.errors import ChatError
from twistedchat.masks import fold, matches, whole_mask
from twistedchat.records import Change, Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "CLOSING",
    "FLAGS",
    "LISTS",
    "LOBBY",
    "MAX_CHANGES",
    "MAX_INVITED",
    "MAX_KEY_BYTES",
    "MAX_LIMIT",
    "MAX_MASKS",
    "RANKS",
    "Charter",
    "as_text",
]

LOBBY = "lobby"
"""Name of the room that a person enters first; nobody makes it, so it has no op. Source: docs/protocol.md."""

CLOSING = "iks"
"""Rules while one of which is on a room is closed. Source: docs/protocol.md, "Ranks and rules"."""

FLAGS = "imnst"
"""Rules that are on or off. Source: docs/protocol.md, "Ranks and rules"."""

LISTS = "beI"
"""Lists of masks: banned, excepted from that, invited. Source: the same."""

RANKS = "ov"
"""Ranks, the highest first. Source: the same."""

MAX_MASKS = 100
"""Most masks of a room, in all lists together. Source: docs/protocol.md, "Limits"."""

MAX_KEY_BYTES = 24
"""Longest key of a room, in bytes. Source: the same."""

MAX_LIMIT = 999_999
"""Greatest limit of a room. Source: more people than any server has."""

MAX_INVITED = 100
"""Most invitations that wait; past it the oldest is forgotten. Source: as `MAX_MASKS`."""

MAX_CHANGES = 20
"""Most changes at a time. Source: docs/protocol.md, "Limits"."""

_USUAL = frozenset("n")
"""The flags of a new room. Source: docs/protocol.md, "Ranks and rules"."""

_MAX_VERDICTS = 1000
"""Most people of whom it is remembered whether they are banned. Source: 100 masks are 30 µs for each line."""

_KEY = re.compile(r"[!-+\--9;-~][!-+\--~]*")
"""A key: printable ASCII without a comma, no colon first. Source: Modern IRC, parameters, and the lists of JOIN."""


class Charter:
    """The ranks and rules of a room.

    Args:
        made_at: When the room was made or opened anew, in milliseconds since 1970.

    Attributes:
        made_at: As above.
        flags: Which of `FLAGS` are on.
        key: Whoever enters must give it; "" if there is none.
        limit: Nobody enters when so many people are in the room; 0 if there is none.
        masks: By the letter of the list: the masks, each with who has set it.
        ranks: By name: letters of `RANKS`, the highest first. Whoever has none is not in it.
        invited: The names of those who are invited, each with the time at which the invitation's bearer took the name.
    """

    __slots__ = ("_verdicts", "flags", "invited", "key", "limit", "made_at", "masks", "ranks")

    def __init__(self, made_at: int = 0) -> None:
        self.made_at = made_at
        self.flags: frozenset[str] = _USUAL
        self.key = ""
        self.limit = 0
        self.masks: dict[str, dict[str, Mask]] = {}
        self.ranks: dict[str, str] = {}
        self.invited: dict[str, int] = {}
        self._verdicts: dict[str, bool] = {}

    # -- what is so ------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether what is said here is for those alone who were let in."""
        return bool(self.key) or not self.flags.isdisjoint(CLOSING)

    @property
    def is_hidden(self) -> bool:
        """Whether others are not told that the room is there."""
        return "s" in self.flags

    @property
    def is_usual(self) -> bool:
        """Whether the rules are those of a new room: nobody need be able to lift one."""
        return self.flags == _USUAL and not self.key and not self.limit and not any(self.masks.values())

    @property
    def binds_speakers(self) -> bool:
        """Whether there is a rule about which members may speak."""
        return "m" in self.flags or bool(self.masks.get("b"))

    @property
    def lets_others_speak(self) -> bool:
        """Whether one who is not in the room may speak."""
        return "n" not in self.flags

    @property
    def has_op(self) -> bool:
        """Whether somebody has ``o``."""
        return any("o" in rank for rank in self.ranks.values())

    def rank(self, name: str) -> str:
        """The rank of somebody: letters of `RANKS`, the highest first; "" for none."""
        return self.ranks.get(name, "")

    def bans(self, source: str) -> bool:
        """Whether one who is seen as this, ``name!user@host``, is banned and not excepted."""
        if not self.masks.get("b"):
            return False
        verdict = self._verdicts.get(source)
        if verdict is None:
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[source] = self._lists("b", source) and not self._lists("e", source)
        return verdict

    def invites(self, name: str, source: str, since: int) -> bool:
        """Whether somebody was invited, or is by a mask.

        Args:
            name: The name.
            source: ``name!user@host``.
            since: When the person took the name: another who has it now is not meant.
        """
        return self.is_invited(name, since) or self._lists("I", source)

    def is_invited(self, name: str, since: int) -> bool:
        """Whether a member has invited somebody: that passes every rule, once."""
        return self.invited.get(name) == since

    def _lists(self, letter: str, source: str) -> bool:
        return any(matches(mask, source) for mask in self.masks.get(letter, ()))

    # -- what changes ----------------------------------------------------------------------------

    def apply(self, change: Change, by: str = "", at: int = 0) -> Change | None:
        """Make a change.

        Args:
            change: The change; the name of a rank's bearer is that of somebody in the room.
            by: The name of whoever makes it.
            at: Now, in milliseconds since 1970.

        Returns:
            The change as it is to be told; None if it was so already.

        Raises:
            ChatError: ``bad-mode``: there is no such rule. ``bad-key``, ``bad-mask``, ``bad-limit``, ``list-full``.
        """
        make = self._MAKE.get(change.letter)
        if make is None:
            raise ChatError("bad-mode", f"There is no rule {change.letter[:1]!r} of a room.")
        return make(self, change, Mask(by, at))

    def _flag(self, change: Change, _: Mask) -> Change | None:
        flags = self.flags | {change.letter} if change.sign == "+" else self.flags - {change.letter}
        if flags == self.flags:
            return None
        self.flags = flags
        return Change(change.sign, change.letter)

    def _key(self, change: Change, _: Mask) -> Change | None:
        if change.sign == "+":
            if not _KEY.fullmatch(change.param) or len(change.param) > MAX_KEY_BYTES:
                raise ChatError("bad-key", f"A key has 1 to {MAX_KEY_BYTES} ASCII characters, no blank and no comma.")
            if self.key == change.param:
                return None
            self.key = change.param
            return change
        if not self.key:
            return None
        self.key = ""
        # As the others are told it: the key is nobody's business any more.
        return Change("-", "k", "*")

    def _limit(self, change: Change, _: Mask) -> Change | None:
        limit = 0
        if change.sign == "+":
            if not (change.param.isascii() and change.param.isdigit() and 0 < len(change.param) <= 6):
                raise ChatError("bad-limit", f"A limit is a whole number from 1 to {MAX_LIMIT}.")
            limit = int(change.param)
            if not limit:
                raise ChatError("bad-limit", f"A limit is a whole number from 1 to {MAX_LIMIT}.")
        if limit == self.limit:
            return None
        self.limit = limit
        return Change("+", "l", str(limit)) if limit else Change("-", "l")

    def _list(self, change: Change, setter: Mask) -> Change | None:
        mask = whole_mask(change.param)
        if not mask:
            raise ChatError("bad-mask", "A mask is name!user@host, with * and ? for any text and any character.")
        masks = self.masks.setdefault(change.letter, {})
        known = next((one for one in masks if fold(one) == fold(mask)), None)
        if change.sign == "-":
            if known is None:
                return None
            del masks[known]
            self._verdicts.clear()
            return Change("-", change.letter, known)
        if known is not None:
            return None
        if sum(map(len, self.masks.values())) >= MAX_MASKS:
            raise ChatError("list-full", f"A room has at most {MAX_MASKS} masks: take one away first.")
        masks[mask] = setter
        self._verdicts.clear()
        return Change("+", change.letter, mask)

    def _rank(self, change: Change, _: Mask) -> Change | None:
        before = self.rank(change.param)
        letters = set(before) | {change.letter} if change.sign == "+" else set(before) - {change.letter}
        after = "".join(letter for letter in RANKS if letter in letters)
        if after == before:
            return None
        if after:
            self.ranks[change.param] = after
        else:
            del self.ranks[change.param]
        return change

    _MAKE: ClassVar[Mapping[str, Callable[[Charter, Change, Mask], Change | None]]] = (
        dict.fromkeys(FLAGS, _flag) | dict.fromkeys(LISTS, _list) | dict.fromkeys(RANKS, _rank)
    ) | {"k": _key, "l": _limit}

    def invite(self, name: str, since: int) -> None:
        """Somebody, who has had the name since then, may enter once, whatever the rules are."""
        self.invited.pop(name, None)
        if len(self.invited) >= MAX_INVITED:
            del self.invited[next(iter(self.invited))]
        self.invited[name] = since

    def entered(self, name: str) -> None:
        """Somebody has come in: an invitation is used up."""
        self.invited.pop(name, None)

    def left(self, name: str) -> str:
        """Somebody has left; the rank that ends with it."""
        return self.ranks.pop(name, "")

    def renamed(self, old: str, new: str) -> None:
        """Somebody in the room has another name, and the rank as before."""
        rank = self.ranks.pop(old, "")
        if rank:
            self.ranks[new] = rank


def as_text(changes: Iterable[Change], max_bytes: int) -> Sequence[str]:
    """Changes as IRC writes them, ``+ov-b bob bob eve!*@*``, in as few texts of at most so many bytes as they fit.

    One change alone may be longer.
    """
    texts: list[str] = []
    run: list[Change] = []
    for change in changes:
        if run and len(_text([*run, change]).encode()) > max_bytes:
            texts.append(_text(run))
            run = []
        run.append(change)
    if run:
        texts.append(_text(run))
    return texts


def _text(changes: Sequence[Change]) -> str:
    letters, sign = "", ""
    for change in changes:
        letters += change.letter if change.sign == sign else change.sign + change.letter
        sign = change.sign
    return " ".join([letters, *(change.param for change in changes if change.param)])
