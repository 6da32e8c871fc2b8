from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twistedchat.mentions import first_word, mentions, words


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("al", "al"),
        ("al", "Al: hi"),
        ("AL", "ask al."),
        ("al", "I told al..."),
        ("al", "al...what now"),
        ("al", "(al)"),
        ("al", "[al]"),
        ("al", "al's"),
        ("al", "@al and/or al"),
        ("al", "also, al"),
        ("al", "al-"),
        ("al-ice", "hi al-ice!"),
        ("[al]", "[al]: hi"),
        ("al^2|x", "is AL^2|X here?"),
        ("Straße", "die STRASSE: hi"),
        ("Ольга", "спроси ольга."),
        ("al", "ａｌ: hi"),
        ("é", "e\u0301, hi"),
        ("राम", "राम: hi"),
    ],
)
def test_mentioned(name: str, text: str) -> None:
    """A name is mentioned where it stands as a whole word, in any case and however it is composed."""
    assert mentions(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("al", "also"),
        ("al", "final"),
        ("al", "al-ice"),
        ("al", "x.al"),
        ("al", "al_"),
        ("al", "al[1]"),
        ("al", "al2"),
        ("al-ice", "al ice"),
        ("राम", "रामायण"),
        ("al", ""),
        ("", "al"),
    ],
)
def test_not_mentioned(name: str, text: str) -> None:
    """A part of a longer word, or of a longer name, is no mention."""
    assert not mentions(name, text)


@example("al", "also al")
@settings(deadline=None)
@given(st.text(st.sampled_from("aAbé.-_[|` \u0301'"), max_size=4), st.text(st.sampled_from("aAbé.-_[|` \u0301'")))
def test_no_mention_without_its_first_word(name: str, text: str) -> None:
    """Whoever looks for many names by the words of a text misses no mention."""
    if mentions(name, text):
        assert not first_word(name) or first_word(name) in words(text)


@settings(deadline=None)
@given(st.text(st.sampled_from("abé.-_["), min_size=1, max_size=6), st.text(), st.text())
def test_between_spaces(name: str, before: str, after: str) -> None:
    """A name between spaces is always mentioned."""
    assert mentions(name, f"{before} {name} {after}")


def test_a_long_text() -> None:
    """The longest texts that are made of the name itself are looked through to their end."""
    assert not mentions("aa", "a" * 4096)
    assert mentions("aa", "a" * 4093 + " aa")


def test_memory() -> None:
    """Whoever says all of Unicode leaves little behind."""
    tracemalloc.start()
    try:
        for start in range(0xE000, 0x30000, 1000):
            words("".join(map(chr, range(start, start + 1000))))
        assert tracemalloc.get_traced_memory()[0] < 2**20
    finally:
        tracemalloc.stop()
