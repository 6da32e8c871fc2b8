"""Which names are allowed for people and rooms, and which of them count as the same.

Knows Unicode's rules for identifiers (RFC 8264, RFC 8265) and its data on look-alikes (UTS #39).
Must not know who bears a name, or what a room is.
"""

from __future__ import annotations

import json
import pkgutil
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar
from unicodedata import category, normalize
from unicodedata import name as character_name

from precis_i18n import get_profile

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MAX_NAME_LENGTH",
    "SERVER_NAME",
    "Register",
    "clean_name",
    "clean_new_name",
    "clean_room",
    "is_reserved",
    "likenesses",
    "name_taken",
]

MAX_NAME_LENGTH = 24
"""Longest name, in characters after NFKC. Source: docs/protocol.md, "Names and rooms"."""

_MAX_RAW_LENGTH = 4 * MAX_NAME_LENGTH
"""Longest text that is normalised as a name, in characters. Source: NFKC makes one character of four at most."""

_MAX_MARKS = 4
"""Most marks in a row on one letter. Source: UTS #39, section 5.4."""

_PUNCTUATION = {"name": r"-_.[]{}\|^`", "room": "-_."}
"""Characters of a name beside letters and digits. Source: docs/protocol.md, "Names and rooms"; people's nicks in
IRC have the brackets and the rest (Modern IRC, "Nicknames")."""

_PLAIN_NAME = {what: re.compile(rf"[A-Za-z0-9{re.escape(marks)}]+") for what, marks in _PUNCTUATION.items()}
_STRANGE = {what: re.compile(rf"(?![A-Za-z0-9{re.escape(marks)}])[\0-\x7f]") for what, marks in _PUNCTUATION.items()}
_USERNAME = get_profile("UsernameCasePreserved")
"""Profile of names: letters, digits and their marks, nothing invisible, no mixed directions.

Source: RFC 8265, section 3.4.
"""

T = TypeVar("T")


def clean_name(raw: str, *, what: str = "name") -> str:
    """The name as it is to be shown and kept.

    A name has 1 to 24 letters and digits of any script with the marks that belong to them, and
    punctuation between them (a person's more than a room's); at least one letter or digit. A
    zero-width joiner is allowed only where the script needs it (RFC 5892, appendix A).

    Args:
        raw: What was typed; white space around it does not count.
        what: The word for it in the error's sentence, and in its code.

    Returns:
        The name, NFKC-normalised; cleaned again it stays the same.

    Raises:
        ChatError: ``bad-name`` (``bad-room`` for a room): it is no such name. The sentence says why,
            what to do, and is safe on a terminal.
    """
    name = raw.strip()
    if len(name) <= _MAX_RAW_LENGTH:
        name = normalize("NFKC", name)
    fault = _fault(name, what)
    if fault:
        raise ChatError(f"bad-{what}", fault)
    return name


def clean_room(raw: str) -> str:
    """The name of a room, without the ``#`` that may stand before it.

    Args:
        raw: What was typed; white space around it, and one ``#`` at its beginning, do not count.

    Returns:
        The name, by the rules of `clean_name`.

    Raises:
        ChatError: ``bad-room``: it is no name for a room.
    """
    return clean_name(raw.strip().removeprefix("#"), what="room")


def _fault(name: str, what: str) -> str:
    """What is wrong with a normalised name, as a sentence; empty if nothing is."""
    if len(name) > MAX_NAME_LENGTH:
        return f"That {what} is too long. Choose one of at most {MAX_NAME_LENGTH} characters."
    if not any(map(str.isalnum, name)):
        return f"A {what} needs a letter or a digit. Choose one of 1 to {MAX_NAME_LENGTH} characters."
    if _PLAIN_NAME[what].fullmatch(name):
        return ""
    strange = _STRANGE[what].search(name)
    return _misfit(strange[0], what) if strange else _fault_of_script(name, what)


def _fault_of_script(name: str, what: str) -> str:
    try:
        _USERNAME.enforce(name)
    except UnicodeEncodeError as error:
        if error.end - error.start == 1:
            return _misfit(name[error.start], what)
        return (
            f"That {what} would look jumbled. One that is written from right to left needs all its letters "
            "from such a script, and a letter or digit at its end."
        )
    if _has_stray_mark(name):
        return f"That {what} has an accent or mark too many, or one that belongs to no letter. Leave it out."
    return ""


def _misfit(char: str, what: str) -> str:
    shown = char if "!" <= char <= "~" else f"U+{ord(char):04X} {character_name(char, '')}".rstrip()
    whose = "" if what == "name" else f" of a {what}"
    marks = " ".join(_PUNCTUATION[what])
    return f"{shown} can't stand in the name{whose}. Use letters, digits and {marks} only."


def _has_stray_mark(name: str) -> bool:
    marks = _MAX_MARKS
    for char in name:
        kind = category(char)
        if kind[0] == "M":
            marks += 1
        else:
            marks = 0 if kind[0] == "L" or kind == "Cf" else _MAX_MARKS
        if marks > _MAX_MARKS:
            return True
    return False


def _skeletons() -> dict[int, str]:
    """What each character becomes in a skeleton (UTS #39, section 4).

    The data is a graph of stars: each look-alike has one neighbour, its prototype. Where a
    prototype has but one look-alike the two can't be told apart; then the longer is taken for the
    prototype, or else the one that comes first in Unicode.
    """
    data = json.loads(pkgutil.get_data("confusable_homoglyphs", "confusables.json") or b"{}")
    bare = {text: text.strip("\N{LEFT-TO-RIGHT MARK}") for text in data}
    rank = {text: (len(data[text]), len(bare[text]), -ord(bare[text][0])) for text in data}
    skeletons = dict.fromkeys(map(ord, "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"), "")
    for text, alike in data.items():
        prototype = alike[0]["c"]
        if rank[prototype] > rank[text]:
            skeletons[ord(bare[text])] = bare[prototype]
    return skeletons


_SKELETONS = _skeletons()
_MAX_ROUNDS = 8
"""Most rounds of reducing a name, so that no data can make this endless. Source: with today's data 4 are needed."""


_REMEMBERED = 1024
"""Most names whose likenesses are remembered. Source: whoever comes in is looked up five times, at 5 µs each."""


def _reduced(text: str) -> str:
    """Skeleton and case folding in turn, until neither changes anything."""
    for _ in range(_MAX_ROUNDS):
        skeleton = normalize("NFKD", text).translate(_SKELETONS)
        reduced = normalize("NFKD", skeleton).casefold()
        if reduced == text:
            break
        text = reduced
    return text


@lru_cache(maxsize=_REMEMBERED)
def likenesses(name: str) -> tuple[str, ...]:
    """The keys under which a name counts; names that share one count as the same.

    ``Bob``, ``BOB``, ``b0b`` and a ``Воb`` with Cyrillic letters share a key, and so do ``Ian`` and
    ``lan``, and ``Ian`` and ``ian``; but ``ian`` and ``lan``, which nobody mixes up, do not.

    Args:
        name: As `clean_name` gives it; of any other text the NFKC form counts.

    Returns:
        One or two keys, the one that disregards case before all else first. They are no names, and
        are not to be shown.
    """
    name = normalize("NFKC", name)
    folded = name.casefold()
    by_case, by_look = _reduced(folded), _reduced(name)
    return (by_case,) if by_case == by_look else (by_case, by_look)


SERVER_NAME = "irc.chatroom"
"""Name of the server, as IRC has one, unless the operator gives another. Source: docs/irc.md."""

_SERVICES = ("NickServ", "ChanServ", "MemoServ", "OperServ", "HostServ", "BotServ", "SaslServ", "HistServ")


def _looks(name: str) -> frozenset[str]:
    """The keys of a name as it is and in capitals: in ``NICKSERV`` there is an I, which looks like 1 and l."""
    return frozenset((*likenesses(name), *likenesses(name.upper())))


_RESERVED = frozenset().union(*map(_looks, (*_SERVICES, "Global", "Services")))
"""Names that IRC users take for services, to which their programs send passwords unasked."""


def is_reserved(name: str, server: str = SERVER_NAME) -> bool:
    """Whether a name is a service's or the server's, or looks like one of them, and so nobody's to have.

    Args:
        name: As `clean_name` gives it.
        server: The name of the server.
    """
    keys = likenesses(name)
    return not (_RESERVED.isdisjoint(keys) and _looks(server).isdisjoint(keys))


def clean_new_name(raw: str, server: str = SERVER_NAME) -> str:
    """The name that a person wants to have, as `clean_name` gives it.

    Args:
        raw: What was typed.
        server: The name of the server.

    Raises:
        ChatError: ``bad-name``: it is no name, or nobody's to have.
    """
    name = clean_name(raw)
    if is_reserved(name, server):
        raise ChatError("bad-name", f"The name {name} is kept for a service. Choose another one.")
    return name


class Register(Generic[T]):
    """The names in use, and whose they are.

    Promises that no two names in it count as the same, and that a released name leaves nothing
    behind. An owner is anything but None; one may have several names.
    """

    def __init__(self) -> None:
        self._owners: dict[str, T] = {}
        self._names: dict[str, str] = {}

    def claim(self, name: str, owner: T) -> None:
        """Take a name into use.

        Args:
            name: As `clean_name` gives it.
            owner: What `find` is to return for it.

        Raises:
            ChatError: ``name-taken``: it counts as the same as one in use; nothing has changed.
        """
        self._refuse_taken(name)
        self._owners[name] = owner
        self._names.update(dict.fromkeys(likenesses(name), name))

    def __len__(self) -> int:
        """How many names are in use."""
        return len(self._owners)

    def items(self) -> Iterable[tuple[str, T]]:
        """The names in use, each with its owner."""
        return self._owners.items()

    def owner(self, name: str) -> T | None:
        """The owner of exactly this name, or None."""
        return self._owners.get(name)

    def find(self, name: str) -> T | None:
        """The owner of the name that this one counts as, or None.

        If it looks like two names in use (``Ian`` like ``ian`` and ``lan``), the one that differs
        in case only is meant.
        """
        for key in likenesses(name):
            if key in self._names:
                return self._owners[self._names[key]]
        return None

    def rename(self, old: str, new: str) -> None:
        """Give the owner of a name another one, which may count as the same as the old.

        Args:
            old: Exactly as claimed.
            new: As `clean_name` gives it.

        Raises:
            ChatError: ``name-taken``: as for `claim`; nothing has changed.
            KeyError: The old name is not in use.
        """
        owner = self._owners[old]
        self._refuse_taken(new, besides=old)
        self.release(old)
        self.claim(new, owner)

    def release(self, name: str) -> None:
        """Let go of a name.

        Args:
            name: Exactly as claimed.

        Raises:
            KeyError: It is not in use.
        """
        del self._owners[name]
        for key in likenesses(name):
            del self._names[key]

    def _refuse_taken(self, name: str, besides: str | None = None) -> None:
        for key in likenesses(name):
            holder = self._names.get(key)
            if holder is not None and holder != besides:
                raise name_taken(name, holder)


def name_taken(name: str, holder: str) -> ChatError:
    """The error for somebody who wants a name that counts as the same as another's."""
    if name.casefold() == holder.casefold():
        return ChatError("name-taken", f"The name {name} is taken. Choose another one.")
    return ChatError("name-taken", f"{name} looks like {holder}, which is taken. Choose a name that differs more.")
