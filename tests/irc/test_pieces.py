from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.irc.pieces import LOOK_BACK_BYTES, MAX_LINES, pieces
from twistedchat.irc.shown import shown

ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from(" \n\0\x01\x1b\x02\t\r日ж"), max_size=300)


def texts(text: str, space: int) -> list[str]:
    return [f"+{piece.text}" if piece.goes_on else piece.text for piece in pieces(text, space)]


class PiecesTests(SynchronousTestCase):
    def test_cases(self) -> None:
        """A text is cut at line feeds, behind a space, else between characters."""
        for text, space, found in [
            ("", 10, [""]),
            ("hello", 5, ["hello"]),
            ("a b c d", 5, ["a b ", "+c d"]),
            ("abcdefgh", 5, ["abcde", "+fgh"]),
            ("abcde fgh", 5, ["abcde", "+ fgh"]),
            ("жжжж", 5, ["жж", "+жж"]),
            ("a日本", 5, ["a日", "+本"]),
            ("𝄞𝄞", 4, ["𝄞", "+𝄞"]),
            ("a\n\nb\n", 10, ["a", "", "b", ""]),
            ("a\r\nb", 10, ["a␍", "b"]),
            ("\n\n", 10, ["␊␊"]),
            ("\0", 10, ["␀"]),
            ("a\0b\x1b\x01\x02", 20, ["ab␛␁\x02"]),
        ]:
            self.assertEqual(texts(text, space), found)

    def test_a_space_far_back(self) -> None:
        """Only a space at the end of a piece ends it: the 60th byte from its end is the first that counts."""
        space = 100
        for before, whole in [(space - LOOK_BACK_BYTES, False), (space - LOOK_BACK_BYTES - 1, True)]:
            first, _ = pieces("x" * before + " " + "y" * 200, space)[:2]
            self.assertEqual(len(first.text), space if whole else before + 1)

    def test_many_lines(self) -> None:
        """The hundredth line takes all that is left, with its line feeds shown."""
        found = texts("\n".join("x" * 150), 1000)
        self.assertEqual(found, [*"x" * (MAX_LINES - 1), "␊".join("x" * 51)])

    @given(ANY_TEXT, st.integers(4, 40))
    @example("\n" * 4096, 300)
    @example("\x1b" * 4096, 300)
    @example("日" * 1365, 299)
    def test_joined(self, text: str, space: int) -> None:
        """Whatever the text, pieces fit, are harmless, and give it back as it is shown when they are joined."""
        found = pieces(text, space)
        joined = "".join(piece.text if piece.goes_on else f"\n{piece.text}" for piece in found)[1:]
        for piece in found:
            self.assertLessEqual(len(piece.text.encode()), space)
            self.assertTrue(piece.text or not piece.goes_on)
            self.assertEqual(shown(piece.text), piece.text)
        lines = [shown(line) for line in text.split("\n", MAX_LINES - 1)]
        if any(lines):
            self.assertEqual(joined, "\n".join(lines))
        elif text:
            self.assertTrue(joined)
