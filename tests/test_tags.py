from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.errors import ChatError
from twistedchat.tags import MAX_TAG_BYTES, checked_tags, join_tags, split_tags

KEYS = st.from_regex(r"\A\+([a-z0-9.-]{1,9}/)?[A-Za-z0-9-]{1,9}\Z")


class TagsTests(SynchronousTestCase):
    @given(st.dictionaries(KEYS, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
    def test_there_and_back(self, tags: dict[str, str]) -> None:
        """Tags that a program gives are read as they were, and are one word of a line."""
        joined = checked_tags(tags)
        self.assertEqual(joined, join_tags(tags))
        self.assertEqual(split_tags(joined), tags)
        self.assertTrue({" ", "\r", "\n"}.isdisjoint(joined))

    def test_no_tags(self) -> None:
        """What is no object of such strings is refused, and so are tags that are too long for a line of IRC."""
        longest = {"+x": "y" * (MAX_TAG_BYTES - len("+x="))}
        self.assertEqual(len(checked_tags(longest)), MAX_TAG_BYTES)
        keys = ("x", "", "+", "+a b", "+a=b", "+a;b", "+ä", "+a/", "+/a", "+a/b/c", "+a\n", "time")
        wrong: list[object] = [[], "+x", 5, True, {"+x": 1}, {"+x": None}, {"+x": {}}, {"+x": "\0"}]
        wrong += [{key: ""} for key in keys] + [{"+x": longest["+x"] + "y"}, {"+x": " " * 2046}]
        for value in wrong:
            with self.assertRaises(ChatError) as caught:
                checked_tags(value)
            self.assertEqual(caught.exception.code, "bad-tags", value)
