from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.text import json_safe, listing, safe

# Among much else: whatever must never reach a terminal, surrogates too.
ANY_TEXT = st.text(
    st.characters() | st.characters(max_codepoint=0xA0) | st.characters(categories=["Cf", "Cs", "Zl", "Zp"])
)
INVISIBLE = {0x061C, 0x180E, 0x200B, 0x200E, 0xFEFF, *range(0x2060, 0x2066), *range(0x206A, 0x2070)}
"""Marks and characters of no width, with which a text could hide something or turn what stands beside it."""


def is_harmful(char: str) -> bool:
    code = ord(char)
    return (
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or code in INVISIBLE
        or 0xFFF9 <= code <= 0xFFFB
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
        or 0xE0000 <= code <= 0xE007F
    )


class SafeTests(SynchronousTestCase):
    def test_harmful(self) -> None:
        """Each kind of harmful character is shown as something that does nothing."""
        for text, shown in [
            ("a\nb\rc\0", "a␊b␍c␀"),
            ("\x1b[2J", "␛[2J"),
            ("a\tb", "a    b"),
            ("a\x7fb", "a␡b"),
            ("\x85\x9b1m\x80", "��1m�"),
            ("a\u202egnp.exe\u202c", "a�gnp.exe�"),
            ("\u2066x\u2069", "�x�"),
            ("a\u2028b\u2029", "a␤b␤"),
            ("\ud83d", "�"),
            ("a\U000e0041\U000e007f", "a��"),
            ("\ufff9\ufffb\ufdd0\ufffe\U0010ffff", "�����"),
        ]:
            assert safe(text) == shown

    def test_kept(self) -> None:
        """All scripts, emoji with their joiners and selectors, and the no-break space are kept."""
        for text in [
            "naïve\u00a0café",
            "می\u200cخواهم",
            "👩\u200d💻 ❤\ufe0f",
            "שלום\u200f!",
            "日本",
            "हिन्दी",
            "a\u0301",
        ]:
            assert safe(text) == text

    def test_every_character(self) -> None:
        """Every character of Unicode is replaced if it is harmful, and kept if it is not."""
        for char in map(chr, range(0x110000)):
            assert (safe(char) != char) == is_harmful(char), ascii(char)

    @given(ANY_TEXT)
    def test_any_text(self, text: str) -> None:
        """What is shown holds nothing harmful, can be encoded, and made safe again stays the same."""
        shown = safe(text)
        assert not any(map(is_harmful, shown))
        assert shown.encode().decode() == shown
        assert safe(shown) == shown


class JsonSafeTests(SynchronousTestCase):
    def test_escapes(self) -> None:
        """Harmful characters are escaped, beyond the BMP as a pair; harmless JSON is left alone."""
        for text, sent in [
            ("é 日本 👩\u200d💻 \\ \n", '"é 日本 👩\u200d💻 \\\\ \\n"'),
            ("\x7f\x85\u2028\u202e", r'"\u007f\u0085\u2028\u202e"'),
            ("\U000e0001\ud800", r'"\udb40\udc01\ud800"'),
        ]:
            assert json_safe(json.dumps(text, ensure_ascii=False)) == sent

    @given(ANY_TEXT)
    def test_any_text(self, text: str) -> None:
        """The JSON means the same, is one line for any reader, and holds nothing harmful."""
        # Two surrogates side by side are one character to JSON, so they are made one before.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        sent = json_safe(json.dumps({"text": text}, ensure_ascii=False))
        assert json.loads(sent.encode()) == {"text": text}
        assert len(sent.splitlines()) == 1
        assert not any(map(is_harmful, sent))


class ListingTests(SynchronousTestCase):
    def test_listing(self) -> None:
        """Names stand as in an English sentence; those over the limit are counted."""
        for names, limit, shown in [
            ("", 3, "nobody"),
            ("a", 3, "a"),
            ("ab", 3, "a and b"),
            ("abc", 3, "a, b and c"),
            ("abcd", 3, "a, b, c and 1 other"),
            ("abcde", 3, "a, b, c and 2 others"),
            ("ab", 1, "a and 1 other"),
        ]:
            assert listing(list(names), limit=limit) == shown
