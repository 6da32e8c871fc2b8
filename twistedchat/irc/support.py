"""What the server can do, as numeric 005 tells it. Knows words. Must not know who reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twistedchat.irc.message import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["support"]

WORDS_A_LINE = 13
"""Most words of one line. Source: Modern IRC, RPL_ISUPPORT (005)."""

_MAX_TITLE_BYTES = 100
"""Longest title that is told, in bytes. Source: a line of 512 bytes has room for it."""

_WORDS = (
    "AWAYLEN=200 BOT=B CASEMAPPING=ascii CHANLIMIT=#:100 CHANMODES=beI,k,l,imnst CHANNELLEN=25 CHANTYPES=# "
    "CHATHISTORY=1000 ELIST=MNU EXCEPTS=e HOSTLEN=13 INVEX=I KEYLEN=24 KICKLEN=200 MAXLIST=beI:100 MAXTARGETS=4 "
    "MODES=20 MONITOR=100 MSGREFTYPES=msgid,timestamp NAMELEN=100 NETWORK={} NICKLEN=24 PREFIX=(ov)@+ SAFELIST "
    "TARGMAX=JOIN:,PART:,KICK:4,LIST:,NAMES:1,WHOIS:1,PRIVMSG:4,NOTICE:4,TAGMSG:4,MONITOR: TOPICLEN=300 USERLEN=10 "
    "UTF8ONLY WHOX"
)
"""Source: docs/irc.md."""


def support(title: str) -> Iterator[Sequence[str]]:
    """The words, as many at a time as stand in one line.

    Args:
        title: The server's public name.
    """
    network = cut(title, _MAX_TITLE_BYTES).replace("\\", "\\x5C").replace(" ", "\\x20").replace("=", "\\x3D")
    words = _WORDS.format(network).split(" ")
    for start in range(0, len(words), WORDS_A_LINE):
        yield words[start : start + WORDS_A_LINE]
