from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.irc.cases import MASKS
from twistedchat.masks import MAX_MASK_BYTES, matches, whole_mask


def slowly(mask: str, text: str) -> bool:
    """The same by dynamic programming: no pattern, no backtracking."""
    row = {0}
    for sign in mask.lower():
        if sign == "*":
            row = set(range(min(row), len(text) + 1)) if row else set()
        else:
            row = {at + 1 for at in row if at < len(text) and sign in ("?", text[at].lower())}
    return len(text) in row


class MasksTests(SynchronousTestCase):
    def test_cases(self) -> None:
        """Each case of mask-match is true of what it should, and of nothing else."""
        self.assertEqual(len(MASKS), 6)
        for mask, true, false in MASKS:
            self.assertEqual([text for text in true if not matches(mask, text)], [], mask)
            self.assertEqual([text for text in false if matches(mask, text)], [], mask)

    def test_whole(self) -> None:
        """A mask is for all of a text, line feeds and all."""
        self.assertFalse(matches("bob", "bobby"))
        self.assertFalse(matches("bob", "abob"))
        self.assertFalse(matches("bob", "bob\n"))
        self.assertTrue(matches("b*b", "b\nb"))

    def test_case(self) -> None:
        """Case does not count for ASCII, and does for everything else."""
        self.assertTrue(matches("BOB!*@*", "bob!~bob@x.ip"))
        self.assertFalse(matches("жук!*", "ЖУК!~b"))
        self.assertFalse(matches("K", "\N{KELVIN SIGN}"))
        self.assertFalse(matches("{x}", "[X]"))

    @given(st.text("aB[]^!-\\*?", max_size=8), st.text("abB[]^!-\\*?", max_size=8))
    @settings(max_examples=500)
    def test_any(self, mask: str, text: str) -> None:
        """Nothing in a mask has a meaning but the asterisk and the question mark."""
        self.assertEqual(matches(mask, text), slowly(mask, text))

    def test_linear(self) -> None:
        """A mask of many asterisks ends at once on a text that it is not true of: backtracking would never end."""
        for part in ("*a", "*?a", "?*a", "*a?", "**aa"):
            self.assertFalse(matches(part * 100 + "*b", "a" * 500))
            self.assertTrue(matches(part * 20 + "*b", "a" * 500 + "b"))


class WholeTests(SynchronousTestCase):
    def test_parts_left_out(self) -> None:
        """What was left out of a mask means anything."""
        wholes = {
            "bob": "bob!*@*",
            "bob!~b": "bob!~b@*",
            "~b@host": "*!~b@host",
            "@host": "*!*@host",
            "bob!": "bob!*@*",
            "b?b!*@*": "b?b!*@*",
            "a!b@c@d": "a!b@c@d",
        }
        self.assertEqual({mask: whole_mask(mask) for mask in wholes}, wholes)

    def test_no_masks(self) -> None:
        """A text that can't stand in a line of IRC as one word is no mask, nor is one that is too long."""
        for text in ("", ":a", "a b", "a\nb", "a\0b", "\x02a", "x" * (MAX_MASK_BYTES + 1), "\ud800"):
            self.assertEqual(whole_mask(text), "", repr(text))
