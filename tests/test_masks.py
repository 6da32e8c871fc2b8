from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedchat.masks import MAX_MASK_BYTES, matches, whole_mask

BOB = "Bob!~bob@k3x9qaz7yp.ip"


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


class MatchTests(SynchronousTestCase):
    def test_who_is_meant(self) -> None:
        """A star stands for any text, a question mark for one character; ASCII letters count in any case."""
        for mask in (
            "*",
            "bob!*@*",
            "BOB!*@*",
            "b?b!~bob@*.ip",
            "*!*@k3x9qaz7yp.ip",
            "*!~bob@*",
            "Bob!~bob@k3x9qaz7yp.ip",
        ):
            self.assertTrue(matches(mask, BOB), mask)
        for mask in ("bo!*@*", "bob", "b?!*@*", "*!*@*.com", "eve!*@*", ""):
            self.assertFalse(matches(mask, BOB), mask)

    def test_names_of_ours(self) -> None:
        """Brackets and the like mean themselves, and letters of other scripts count in their own case alone."""
        self.assertTrue(matches(r"[a-z]\^!*@*", r"[A-Z]\^!~x@y.ip"))
        self.assertFalse(matches("[a-z]!*@*", "b!~x@y.ip"))
        self.assertTrue(matches("мария!*@*", "мария!~x@y.ip"))
        self.assertFalse(matches("Мария!*@*", "мария!~x@y.ip"))

    def test_no_mask_takes_for_ever(self) -> None:
        """A mask of many stars is answered at once: trying every way would take longer than the world has."""
        mask = "*a" * 59 + "b"
        self.assertFalse(matches(mask, "a" * 4000))
