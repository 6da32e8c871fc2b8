from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedchat.errors import ChatError
from twistedchat.text import safe
from twistedchat.verbs import OPS, VERBS, WORDS, find_word, help_lines, ops_table, words_table


class TableTests(SynchronousTestCase):
    def test_unique(self) -> None:
        """No name and no word means two things."""
        names = [verb.name for verb in VERBS]
        words = [word for verb in VERBS for word in verb.words]
        self.assertEqual((len(set(names)), len(set(words))), (len(names), len(words)))
        self.assertEqual((set(WORDS), set(OPS)), (set(words), {verb.name for verb in VERBS if verb.fields is not None}))

    def test_reachable(self) -> None:
        """Each verb can be typed or sent, and each op says what it is answered."""
        for verb in VERBS:
            self.assertTrue(verb.words or verb.fields is not None, verb.name)
            self.assertEqual(bool(verb.answer), verb.fields is not None, verb.name)

    def test_optional_fields_last(self) -> None:
        """What must be there comes first."""
        for verb in VERBS:
            optional = [field.optional for field in verb.fields or ()]
            self.assertEqual(optional, sorted(optional), verb.name)

    def test_short(self) -> None:
        """What a verb does fits a line of help."""
        for verb in VERBS:
            self.assertLessEqual(len(verb.summary), 48, verb.name)


class WordTests(SynchronousTestCase):
    def test_found(self) -> None:
        """A word is found in any case, by all of its spellings."""
        self.assertEqual({find_word(word).name for word in ("j", "JOIN", "Join")}, {"join"})

    def test_not_found(self) -> None:
        """An unknown word is refused in one harmless line that says how to say it."""
        error = self.assertRaises(ChatError, find_word, "\x1b[2J" + "x" * 5000)
        self.assertEqual(error.code, "no-such-command")
        self.assertEqual(safe(error.text), error.text)
        self.assertLess(len(error.text), 200)
        self.assertIn("type //", error.text)


class HelpTests(SynchronousTestCase):
    def test_all(self) -> None:
        """Every word's verb is listed, in lines that fit a terminal."""
        lines = help_lines()
        for verb in VERBS:
            if verb.words:
                self.assertEqual(sum(line.startswith(f"{verb.title} ") for line in lines), 1, verb.name)
        self.assertLessEqual(max(map(len, lines)), 76)

    def test_one(self) -> None:
        """One command is told with its other spellings, however it is written."""
        for word in ("nick", "/nick", "NAME"):
            self.assertEqual(help_lines(word), ["/nick NAME: gives you another name (also /name)"])
        self.assertEqual(self.assertRaises(ChatError, help_lines, "dance").code, "no-such-command")


class DocumentTests(SynchronousTestCase):
    def test_tables(self) -> None:
        """The tables for the documents have a row for each word and each op, with as many columns."""
        for table, rows in ((words_table(), [v for v in VERBS if v.words]), (ops_table(), list(OPS))):
            lines = table.splitlines()
            self.assertEqual(len(lines), len(rows) + 2)
            self.assertEqual({line.replace("\\|", "").count("|") for line in lines}, {4})
        self.assertIn('`{"op":"join","room":ROOM,"after":SEQ?,"key":TEXT?}`', ops_table())
