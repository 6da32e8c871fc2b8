"""What an IRC client can be shown without harm.

Knows characters, and which of them are IRC's formatting. Must not know who says or reads them.
"""

from __future__ import annotations

from twistedchat.text import shown_as

__all__ = ["shown", "shown_tags", "shown_word"]

FORMATTING = "\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f"
"""Bold, colour, hex colour, reset, monospace, reverse, italics, strikethrough, underline.

Source: modern.ircdocs.horse/formatting.
"""

_TEXT = shown_as(kept=FORMATTING, dropped="\0")
_WORD = shown_as(kept=FORMATTING + "\t", dropped="\0") | {ord(" "): "_"}
_TAGS = dict.fromkeys([*shown_as(kept="", dropped="\0"), ord(" ")])


def shown(text: str) -> str:
    """A text as one line of IRC shows it: its formatting passes, NUL is left out, all else is as `text.safe` has it.

    What a client writes to a file lands on a terminal. A ``^A`` is shown as ``␁``, so no text is taken for CTCP.
    """
    return text if text.isprintable() else text.translate(_TEXT)


def shown_word(text: str) -> str:
    """A text as one word of a line, whatever it holds: with ``_`` for a space, and ``*`` for a word that is none."""
    word = text.translate(_WORD) if " " in text or not text.isprintable() else text
    if word[:1] == ":":
        word = f"_{word[1:]}"
    return word or "*"


def shown_tags(tags: str) -> str:
    """Tags as they stand in a line, without what could do harm there or end them. They get no longer."""
    return tags if tags.isprintable() and " " not in tags else tags.translate(_TAGS)
