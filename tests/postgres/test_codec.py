from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.postgres.codec import array, named, numbers, raw, readable, said, unnamed

tricky = st.text(st.sampled_from("\0\u24000a")) | st.text(st.characters(exclude_categories=["Cs"]))


class CodecTests(SynchronousTestCase):
    """Texts as PostgreSQL takes them."""

    @given(tricky)
    @example("\u2400\0\u24000")
    def test_names(self, name: str) -> None:
        """A name comes back as it was, and has no NUL on the way."""
        assert "\0" not in named(name)
        assert unnamed(named(name)) == name

    @given(tricky)
    def test_texts(self, text: str) -> None:
        """A text comes back as it was, is readable on the way, and only one with a NUL is kept twice."""
        assert "\0" not in readable(text)
        assert said(readable(text), raw(text)) == text
        assert (raw(text) is None) == ("\0" not in text)

    def test_arrays(self) -> None:
        """What PostgreSQL reads as an array: quotes and backslashes are escaped, NULL is no text."""
        assert array([]) == "{}"
        assert array([""]) == '{""}'
        assert array(["a,b", 'q"\\', "NULL", "}"]) == '{"a,b","q\\"\\\\","NULL","}"}'
        assert array(['q"\\', None, ""]) == '{"q\\"\\\\",NULL,""}'
        assert numbers([1, 22]) == "{1,22}"
