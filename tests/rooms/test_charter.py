from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.errors import ChatError
from twistedchat.records import Change, Mask
from twistedchat.rooms.charter import FLAGS, LISTS, MAX_INVITED, MAX_KEY_BYTES, MAX_MASKS, RANKS, Charter, as_text

BOB = "bob!~bob@k3x9qaz7yp.ip"


def changed(words: str) -> Change:
    """``+b bob``."""
    letters, _, param = words.partition(" ")
    return Change(letters[0], letters[1], param)


class CharterTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.charter = Charter()

    def make(self, *changes: str) -> list[str]:
        """What is told of each change; "" for one that changes nothing."""
        told = [self.charter.apply(changed(words), "ann", 7) for words in changes]
        return [" ".join(filter(None, (one.sign + one.letter, one.param))) if one else "" for one in told]

    def refusal(self, words: str) -> str:
        error: ChatError = self.assertRaises(ChatError, self.charter.apply, changed(words))
        self.assertTrue(error.text.endswith("."))
        return error.code


class ChangeTests(CharterTestCase):
    def test_new(self) -> None:
        """In a new room only its members speak, and there is no other rule."""
        self.assertEqual(
            (self.charter.flags, self.charter.is_usual, self.charter.lets_others_speak), ({"n"}, True, False)
        )
        self.make("-n")
        self.assertEqual(
            (self.charter.flags, self.charter.is_usual, self.charter.lets_others_speak), (set(), False, True)
        )

    def test_flags(self) -> None:
        """A flag is told when it changes, and not when it is so already."""
        self.assertEqual(self.make("+m", "+m", "-m", "-m", "+n x"), ["+m", "", "-m", "", ""])

    def test_key(self) -> None:
        """A key is told to the room; whoever takes it away need not know it, and it is not told again."""
        self.assertEqual(
            self.make("+k Tea", "+k Tea", "+k two", "-k wrong", "-k"), ["+k Tea", "", "+k two", "-k *", ""]
        )
        for key in ("", "a b", "a,b", ":a", "é", "x" * (MAX_KEY_BYTES + 1), "a\n"):
            self.assertEqual(self.refusal(f"+k {key}"), "bad-key", repr(key))
        self.make("+k " + "x" * MAX_KEY_BYTES, "+k a:b")
        self.assertEqual(self.charter.key, "a:b")

    def test_limit(self) -> None:
        """A limit is a number from 1."""
        self.assertEqual(self.make("+l 20", "+l 020", "+l 3", "-l", "-l"), ["+l 20", "", "+l 3", "-l", ""])
        for limit in ("", "0", "000", "-1", "x", "1000000", "٣", "1.5"):
            self.assertEqual(self.refusal(f"+l {limit}"), "bad-limit", limit)

    def test_lists(self) -> None:
        """A mask stands once in its list, in whatever case it is written, with who has set it and when."""
        self.assertEqual(
            self.make("+b Bob", "+b bOB!*@*", "+e Bob", "-b BOB", "-b bob"),
            [
                "+b Bob!*@*",
                "",
                "+e Bob!*@*",
                "-b Bob!*@*",
                "",
            ],
        )
        self.assertEqual(self.charter.masks, {"b": {}, "e": {"Bob!*@*": Mask("ann", 7)}})
        self.assertEqual(self.refusal("+b a b"), "bad-mask")

    def test_too_many_masks(self) -> None:
        """The lists together are bounded; what is in them can still be taken away."""
        for number in range(MAX_MASKS):
            self.make(f"+{LISTS[number % 3]} m{number}")
        self.assertEqual(self.refusal("+b one"), "list-full")
        self.assertEqual(self.make("+b m0", "-b m0", "+I one"), ["", "-b m0!*@*", "+I one!*@*"])

    def test_ranks(self) -> None:
        """Somebody may have both ranks; the higher one comes first."""
        self.assertEqual(self.make("+v bob", "+o bob", "+o bob"), ["+v bob", "+o bob", ""])
        self.assertEqual((self.charter.rank("bob"), self.charter.has_op, self.charter.rank("eve")), ("ov", True, ""))
        self.assertEqual(self.make("-o bob", "-o bob", "-v bob"), ["-o bob", "", "-v bob"])
        self.assertEqual((self.charter.ranks, self.charter.has_op), ({}, False))

    def test_no_such_rule(self) -> None:
        """A letter that means nothing is refused, and so is none."""
        for letter in ("q", "", "\x1b", "R"):
            self.assertRaises(ChatError, self.charter.apply, Change("+", letter))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from("+-"), st.sampled_from([*FLAGS, *LISTS, *RANKS, "k", "l", "x"]), st.text(max_size=40)
            )
        )
    )
    def test_whatever_comes(self, changes: list[tuple[str, str, str]]) -> None:
        """Whatever is asked is done or refused, and what is told can stand in a line of IRC, each part as one word."""
        charter = Charter()
        for change in changes:
            try:
                told = charter.apply(Change(*change))
            except ChatError:
                continue
            if told is not None and told.letter not in RANKS and told.param:
                self.assertRegex(told.param, r"\A[^\s:][^\s]*\Z")
                self.assertTrue(told.param.isprintable())


class JudgingTests(CharterTestCase):
    def test_banned(self) -> None:
        """Whom a mask of bans means is banned, unless another excepts it; a change counts at once."""
        self.assertFalse(self.charter.bans(BOB))
        for change, banned in (("+b *!*@k3*", True), ("+e bob", False), ("-e bob", True), ("-b *!*@k3*", False)):
            self.make(change)
            self.assertIs(self.charter.bans(BOB), banned, change)

    def test_many_are_judged(self) -> None:
        """However many are looked at, what is remembered of them stays small, and right."""
        self.make("+b *5!*@*")
        for number in range(3000):
            self.assertIs(self.charter.bans(f"n{number}!~x@y.ip"), number % 10 == 5)

    def test_invited(self) -> None:
        """An invitation is one person's, until it enters; the oldest of many is forgotten."""
        self.charter.invite("bob", 5)
        self.assertEqual([self.charter.is_invited("bob", since) for since in (5, 6)], [True, False])
        self.charter.entered("bob")
        self.assertFalse(self.charter.is_invited("bob", 5))
        for number in range(MAX_INVITED + 1):
            self.charter.invite(f"n{number}", 0)
        self.assertEqual([self.charter.is_invited(name, 0) for name in ("n0", "n1")], [False, True])

    def test_invited_by_mask(self) -> None:
        """Whom a mask of invitations means may enter as often as it likes."""
        self.make("+I bob")
        self.charter.entered("bob")
        self.assertTrue(self.charter.invites("bob", BOB, 0))
        self.assertFalse(self.charter.is_invited("bob", 0))

    def test_closed_and_hidden(self) -> None:
        """A room with a key, by invitation, or hidden is closed."""
        for change, back in (("+i", "-i"), ("+k tea", "-k"), ("+s", "-s")):
            self.make(change)
            self.assertEqual((self.charter.is_closed, self.charter.is_hidden), (True, change == "+s"))
            self.make(back)
            self.assertFalse(self.charter.is_closed)
        self.make(*(f"+{flag}" for flag in FLAGS if flag not in "is"), "+l 2", "+b eve")
        self.assertFalse(self.charter.is_closed)

    def test_usual(self) -> None:
        """Each rule makes it another room than a new one; ranks are no rules."""
        for change, back in (("+m", "-m"), ("-n", "+n"), ("+l 3", "-l"), ("+b eve", "-b eve"), ("+k tea", "-k")):
            self.make(change)
            self.assertFalse(self.charter.is_usual, change)
            self.make(back)
            self.assertTrue(self.charter.is_usual, change)
        self.make("+o ann")
        self.assertTrue(self.charter.is_usual)

    def test_rank_goes_with_its_bearer(self) -> None:
        """A rank goes along when its bearer takes another name, and ends when it leaves."""
        self.make("+o ann", "+v bob")
        self.charter.renamed("ann", "anna")
        self.charter.renamed("eve", "ann")
        self.assertEqual(self.charter.ranks, {"anna": "o", "bob": "v"})
        self.assertEqual([self.charter.left(name) for name in ("bob", "bob")], ["v", ""])


class TextTests(SynchronousTestCase):
    def test_text(self) -> None:
        """Changes are one text, each sign once, and the parameters in the order of their letters."""
        changes = [changed(words) for words in ("+o ann", "+m", "+v bob", "-k *", "-n", "+b eve!*@*")]
        self.assertEqual(as_text(changes, 400), ["+omv-kn+b ann bob * eve!*@*"])
        self.assertEqual(as_text([], 400), [])

    def test_pieces(self) -> None:
        """What does not fit is more texts, none of them longer, and nothing is lost."""
        changes = [Change("+", "b", f"m{number}!*@*") for number in range(20)]
        texts = as_text(changes, 60)
        self.assertTrue(all(len(text) <= 60 for text in texts))
        self.assertEqual([param for text in texts for param in text.split()[1:]], [each.param for each in changes])
