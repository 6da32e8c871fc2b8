from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.irc.cases import JOINS, SPLITS
from twistedchat.irc.message import (
    MAX_LINE_BYTES,
    MAX_PARAMS,
    MAX_TAG_BYTES,
    Fault,
    IrcError,
    Message,
    client_tags,
    join_tags,
    parse,
    write,
)

TAGS = st.dictionaries(st.text("+abc/-", min_size=1), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
MORSELS = [b"@", b"a=b", b";", b"=", b"\\", b" ", b":", b"\0", b"\r", b"\xff", b"x", b"\xd0\xb6", b"\n", b"+"]


class ParseTests(SynchronousTestCase):
    def test_cases(self) -> None:
        """Each case of msg-split gives its parts."""
        self.assertEqual(len(SPLITS), 35)
        for line, parts in SPLITS:
            self.assertEqual(tuple(parse(line.encode())), parts, line)

    def test_long_way(self) -> None:
        """The same parts come out the long way, which a CR sets a line on."""
        for line, parts in SPLITS:
            self.assertEqual(tuple(parse(b"\r\0" + line.encode())), parts, line)

    def test_nothing(self) -> None:
        """A line without a command is no error, and has none."""
        for line in (b"", b" ", b"   ", b":source", b"@tag", b"@", b"@ ", b":", b"\0\r"):
            self.assertEqual(parse(line).command, "", line)

    def test_only_the_space_parts_words(self) -> None:
        """Other blanks of Unicode, and IRC's underline, are letters like any other."""
        self.assertEqual(parse("NICK a\u3000b\x1f\u2003\u00a0".encode()).params, ["a\u3000b\x1f\u2003\u00a0"])

    def test_left_out(self) -> None:
        """NUL and CR inside a line are passed over."""
        self.assertEqual(parse(b"PRIV\0MSG #a :b\rc\0\r"), Message({}, "", "PRIVMSG", ["#a", "bc"]))

    def test_many_parameters(self) -> None:
        """The first fifteen parameters count, the one behind the colon among them."""
        words = [str(number) for number in range(40)]
        self.assertEqual(parse(f"X {' '.join(words)} :rest".encode()).params, words[:MAX_PARAMS])
        self.assertEqual(parse(f"X {' '.join(words[:14])} :a b".encode()).params, [*words[:14], "a b"])

    def refused(self, line: bytes) -> IrcError:
        with self.assertRaises(IrcError) as caught:
            parse(line)
        error: IrcError = caught.exception
        return error

    def test_long_lines(self) -> None:
        """A line may have 510 bytes without its tags, and its tags 4,094; one more is refused, with its label."""
        text = "PRIVMSG #a :"
        full = text.encode() + b"x" * (MAX_LINE_BYTES - len(text))
        tags = b"@label=7;+x=" + b"y" * (MAX_TAG_BYTES - len("label=7;+x=")) + b" "
        self.assertEqual(parse(full).params, ["#a", "x" * (MAX_LINE_BYTES - len(text))])
        self.assertEqual(len(parse(tags + full).tags["+x"]), MAX_TAG_BYTES - len("label=7;+x="))
        for line in (tags + full + b"x", b"@label=7 " + full + b"x", b"@label=7;y" + tags[8:] + full):
            error = self.refused(line)
            self.assertIs(error.fault, Fault.TOO_LONG)
            self.assertEqual((error.message.tags["label"], error.message.command), ("7", "PRIVMSG"))
        self.assertIs(self.refused(full + b"x").fault, Fault.TOO_LONG)

    def test_bytes_count(self) -> None:
        """What counts is bytes, not characters."""
        self.assertEqual(self.refused(b"PRIVMSG #a :" + "ж".encode() * 250).fault, Fault.TOO_LONG)

    def test_not_utf8(self) -> None:
        """A line that is not UTF-8 is refused, with its command and its label."""
        for line in (b"@label=7 PRIVMSG #a :caf\xe9", b"@label=7;+x=\xff PRIVMSG #a :a"):
            error = self.refused(line)
            self.assertIs(error.fault, Fault.NOT_UTF8)
            self.assertEqual((error.message.tags["label"], error.message.command), ("7", "PRIVMSG"))
        self.assertEqual(self.refused(b"NICK \xed\xa0\x80").message.command, "NICK")

    @given(st.binary(max_size=80) | st.lists(st.sampled_from(MORSELS)).map(b"".join))
    @example(b"@" * 5000)
    @example(b" :" * 3000)
    def test_any_bytes(self, line: bytes) -> None:
        """Whatever comes, there is a message or the one error; only a last parameter has spaces."""
        try:
            message = parse(line)
        except IrcError as error:
            message = error.message
        self.assertLessEqual(len(message.params), MAX_PARAMS)
        self.assertFalse([one for one in (message.command, *message.params[:-1]) if " " in one])
        self.assertNotIn("\0", "".join([message.source, message.command, *message.params]))


class WriteTests(SynchronousTestCase):
    def test_cases(self) -> None:
        """Each case of msg-join gives one of its lines."""
        for parts, lines in JOINS:
            line = write(parts.source, parts.command, *parts.params, tags=join_tags(parts.tags))
            self.assertIn(line.decode().removesuffix("\r\n"), lines)

    def test_words(self) -> None:
        """What can't stand in the middle of a line has something in its place."""
        self.assertEqual(write("irc", "401", "", "a b", ":c", "No."), b":irc 401 * a_b _c :No.\r\n")

    def test_colon(self) -> None:
        """A text has a colon also if it is one word, and nothing else has one that needs none."""
        for params, line in [
            (("QUIT", "bye"), b"QUIT :bye"),
            (("PING", "word"), b"PING :word"),
            (("NICK", "bob"), b"NICK :bob"),
            (("PART", "#a"), b"PART #a"),
            (("PART", "#a", "bye"), b"PART #a :bye"),
            (("KICK", "#a", "bob"), b"KICK #a bob"),
            (("KICK", "#a", "bob", "why"), b"KICK #a bob :why"),
            (("JOIN", "#a"), b"JOIN #a"),
            (("JOIN", "#a", "*", "Alice"), b"JOIN #a * :Alice"),
            (("CAP", "*", "LS", "batch"), b"CAP * LS :batch"),
            (("353", "bob", "=", "#a", "@bob"), b"353 bob = #a :@bob"),
            (("333", "bob", "#a", "bob", "1"), b"333 bob #a bob 1"),
            (("MODE", "#a", "+o", "bob"), b"MODE #a +o bob"),
        ]:
            self.assertEqual(write("", *params), line + b"\r\n")

    def test_harmless(self) -> None:
        """Nothing that could harm a terminal or end the line is left, and formatting passes."""
        line = write("irc", "X", "a\x1b\n", "b\x1b[2J\r\n\0\x85\u202e\x02c\x0f")
        self.assertEqual(line.decode(), ":irc X a␛␊ :b␛[2J␍␊��\x02c\x0f\r\n")

    def test_cut(self) -> None:
        """A line of 512 bytes is whole, a longer one is cut between characters; its tags do not count."""
        for character in ("x", "ж", "日"):
            line = write("irc", "X", character * 600, tags="time=now")
            self.assertLessEqual(len(line.removeprefix(b"@time=now ")), 512)
            self.assertGreater(len(line.removeprefix(b"@time=now ")), 512 - len(character.encode()))
            self.assertTrue(line.decode().endswith(f"{character}\r\n"))

    @given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
    def test_one_line(self, source: str, params: list[str]) -> None:
        """Whatever is written is one line, with as many parameters."""
        line = write(source, "X", *params)
        self.assertEqual((line.count(b"\n"), line.count(b"\r"), line.count(b"\0")), (1, 1, 0))
        message = parse(line.removesuffix(b"\r\n"))
        self.assertEqual((message.command, len(message.params)), ("X", len(params)))


class TagsTests(SynchronousTestCase):
    @given(TAGS)
    def test_there_and_back(self, tags: dict[str, str]) -> None:
        """Whatever the values of tags, they are read as they were written."""
        line = f"@{join_tags(tags)} X" if tags else "X"
        if len(line.encode()) < MAX_TAG_BYTES:
            self.assertEqual(parse(line.encode()).tags, tags)

    def test_for_the_others(self) -> None:
        """Only tags whose keys begin with a plus sign are for the others; they are as they were."""
        line = rb"@+x=a\:b;label=7;+draft/reply=m;+;batch=1;+y X"
        self.assertEqual(client_tags(parse(line).tags), r"+x=a\:b;+draft/reply=m;+;+y")
        self.assertEqual(client_tags(parse(b"X").tags), "")
