"""Texts as PostgreSQL takes them: it keeps no NUL, and many values of a call come as arrays.

Pure; knows no table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["array", "named", "numbers", "raw", "readable", "said", "unnamed"]

NUL = "\0"

VISIBLE_NUL = "\N{SYMBOL FOR NULL}"


def named(name: str) -> str:
    """A name or key in which there is no NUL; different ones stay different, and usual ones the same."""
    if VISIBLE_NUL in name or NUL in name:
        return name.replace(VISIBLE_NUL, VISIBLE_NUL * 2).replace(NUL, VISIBLE_NUL + "0")
    return name


def unnamed(name: str) -> str:
    """What `named` was given."""
    if VISIBLE_NUL not in name:
        return name
    parts = name.split(VISIBLE_NUL * 2)
    return VISIBLE_NUL.join(part.replace(VISIBLE_NUL + "0", NUL) for part in parts)


def readable(text: str) -> str:
    """A text without NUL, for people who look into the database."""
    return text.replace(NUL, VISIBLE_NUL)


def raw(text: str) -> str | None:
    """A text that has a NUL, as hexadecimal digits of its UTF-8; None for any other."""
    return text.encode().hex() if NUL in text else None


def said(text: str, hexadecimal: str | None) -> str:
    """The text as it was sent.

    Args:
        text: As it is readable.
        hexadecimal: As `raw` gave it.
    """
    return text if hexadecimal is None else bytes.fromhex(hexadecimal).decode()


def numbers(values: Iterable[int]) -> str:
    """An array of numbers."""
    return f"{{{','.join(map(str, values))}}}"


def array(values: Sequence[str | None]) -> str:
    """An array of texts without NUL; None is NULL.

    One replacement of all of them together is a third of the time of one for each.
    """
    if not values:
        return "{}"
    if None in values:
        return f"{{{','.join(['NULL' if value is None else _quoted(value) for value in values])}}}"
    joined = NUL.join(values)  # type: ignore[arg-type]  # there is no None
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace(NUL, '","')
    return f'{{"{escaped}"}}'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
