"""A word by which a person comes back who keeps no token: the token that is made of it, and guesses at words.

Pure: the time comes as an argument. Must not know who is here, nor any door.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

from twistedchat.errors import ChatError
from twistedchat.names import likenesses

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GUESS_SECONDS", "MAX_GUESSED_NAMES", "MAX_GUESSES", "Guesses", "hashed_word", "is_of_word", "word_token"]

MAX_GUESSES = 5
"""Most wrong words for a name in `GUESS_SECONDS`. Source: docs/irc.md, "Coming back"."""

GUESS_SECONDS = 60.0
"""Time in which wrong words are counted, and for which a name is refused then, in seconds. Source: as above."""

MAX_GUESSED_NAMES = 10_000
"""Most names whose guesses are remembered; past it the one guessed at longest ago is forgotten.

Source: as many as there are lost sessions; a name and its count are about 300 bytes.
"""

_MARK = "word:"
"""How a token begins that is made of a word: those who can choose their token are not to guess at words."""


def hashed_word(word: str) -> bytes:
    """What is kept of a word."""
    return blake2b(word.encode(), digest_size=32, person=b"chatroom word").digest()


def word_token(name: str, word: bytes) -> str:
    """The token of whoever has this name, or one that differs in case, and the word that was hashed so."""
    return _MARK + blake2b(likenesses(name)[0].encode(), key=word, digest_size=24, person=b"chatroom token").hexdigest()


def is_of_word(token: str) -> bool:
    """Whether a token is made of a word."""
    return token.startswith(_MARK)


class Guesses:
    """Wrong words, by name: after `MAX_GUESSES` of them the name is refused for `GUESS_SECONDS`.

    Args:
        seconds: The time, monotonic.
    """

    __slots__ = ("_seconds", "_since")

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        # When the wrong words came, by the name's key; the name guessed at last comes last.
        self._since: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    def check(self, name: str) -> None:
        """Return if a word for this name may be tried.

        Raises:
            ChatError: ``name-taken``: too many were wrong.
        """
        times = self._since.get(likenesses(name)[0], ())
        if len(times) >= MAX_GUESSES and self._seconds() < times[-1] + GUESS_SECONDS:
            text = f"Too many wrong passwords were given for {name}: wait a minute, or choose another name."
            raise ChatError("name-taken", text)

    def wrong(self, name: str) -> None:
        """A wrong word was given for this name."""
        now = self._seconds()
        key = likenesses(name)[0]
        recent = (time for time in self._since.pop(key, ()) if now < time + GUESS_SECONDS)
        self._since[key] = (*recent, now)[-MAX_GUESSES:]
        if len(self._since) > MAX_GUESSED_NAMES:
            self._since.popitem(last=False)
