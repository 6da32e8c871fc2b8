from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.irc.lines import IrcDecoder
from twistedchat.irc.message import MAX_LINE_BYTES, MAX_TAG_BYTES, Fault, IrcError, parse

LONGEST = MAX_LINE_BYTES + MAX_TAG_BYTES + 2


def hear(*segments: bytes) -> tuple[list[object], bytes | None]:
    decoder = IrcDecoder()
    items: list[object] = []
    for segment in segments:
        items += decoder.feed(segment)
    return items, decoder.end()


CASES: list[tuple[bytes, list[bytes], bytes | None]] = [
    (b"", [], None),
    (b"NICK a\r\nUSER b\nPING", [b"NICK a", b"USER b"], b"PING"),
    (b"\n\r\n\n", [b"", b"", b""], None),
    (b"a\rb\0c\r\r\n\0\r", [b"abc"], None),
    (b"\xff\xf4\xff\xfd\x06caf\xe9\n", [b"\xff\xf4\xff\xfd\x06caf\xe9"], None),
    (b"x" * LONGEST + b"\r\ny\n", [b"x" * LONGEST, b"y"], None),
    (b"x" * (LONGEST + 9) + b"\r\ny\n", [b"x" * (LONGEST + 1), b"y"], None),
    (b"x" * 70_000, [], b"x" * (LONGEST + 1)),
]


class LinesTests(SynchronousTestCase):
    def test_cases(self) -> None:
        """Bytes are cut into the same lines, at once or byte by byte."""
        for data, lines, end in CASES:
            self.assertEqual(hear(data), (lines, end))
            if len(data) < 10_000:
                self.assertEqual(hear(*[data[i : i + 1] for i in range(len(data))]), (lines, end))

    @given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\0", b"\r\n", b"\xff", b"b" * 3000]), max_size=30))
    def test_any_cutting(self, segments: list[bytes]) -> None:
        """However the bytes are cut, the lines are the same."""
        self.assertEqual(hear(*segments), hear(b"".join(segments)))

    @given(st.lists(st.binary(max_size=10) | st.sampled_from([b"PING\r\n", b"a\n", b"b\rc\n", b"\0\n"])))
    def test_short_way(self, segments: list[bytes]) -> None:
        """A segment that is one whole line gives the same line as the long way."""
        decoder, other = IrcDecoder(), IrcDecoder()
        for segment in segments:
            line = decoder.whole_line(segment)
            self.assertEqual(decoder.feed(segment) if line is None else [line], other.feed(segment))

    def test_short_way_is_taken(self) -> None:
        """A plain line needs no long way; one that is longer than any, or that goes on, does."""
        decoder = IrcDecoder()
        self.assertEqual(decoder.whole_line(b"PING 1\r\n"), b"PING 1")
        self.assertEqual(decoder.whole_line(b"PING 1\n"), b"PING 1")
        self.assertIsNone(decoder.whole_line(b"x" * 5000 + b"\n"))
        decoder.feed(b"PI")
        self.assertIsNone(decoder.whole_line(b"NG 1\n"))

    def test_too_long(self) -> None:
        """A line that is too long is refused by the parser, with what its beginning says; the next one is not."""
        for line in (b"@label=7 PRIVMSG #a :" + b"x" * 70_000, b"@label=7;x=" + b"y" * 70_000 + b" PRIVMSG #a :b"):
            (long, short), _ = hear(line[:3000], line[3000:] + b"\nPING\n")
            assert isinstance(long, bytes)
            error = self.assertRaises(IrcError, parse, long)
            self.assertEqual((error.fault, error.message.tags["label"]), (Fault.TOO_LONG, "7"))
            self.assertEqual(short, b"PING")

    def test_nothing_to_say(self) -> None:
        """A client is never sent anything by the decoder."""
        decoder = IrcDecoder()
        decoder.feed(b"\xff\xf6\xff\xfd\x06\r\n")
        self.assertEqual(decoder.replies(), b"")
