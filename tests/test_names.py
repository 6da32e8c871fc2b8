from __future__ import annotations

import json
import pkgutil
import string
from unicodedata import category, normalize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from twistedchat.errors import ChatError
from twistedchat.names import MAX_NAME_LENGTH, Register, clean_name, clean_room, likenesses
from twistedchat.text import safe


def is_clean(name: str) -> bool:
    try:
        return clean_name(name) == name
    except ChatError:
        return False


def look_alikes() -> list[tuple[str, str]]:
    """Pairs of single characters, good as names, that the data calls alike.

    Those that come apart in NFD, where skeletons are made, are left to the marks they come apart into.
    """
    data = json.loads(pkgutil.get_data("confusable_homoglyphs", "confusables.json") or b"")
    pairs = ((text.strip("\u200e"), other["c"].strip("\u200e")) for text in data for other in data[text])
    return [pair for pair in pairs if all(len(normalize("NFD", char)) == 1 and is_clean(char) for char in pair)]


LOOK_ALIKES = look_alikes()
ANYTHING = st.text(max_size=30) | st.text(
    st.sampled_from("aAÉéß-_.#\u0301\u093fक\u094d\u200dא1١\u3164\x1b "), max_size=30
)
NAMES = (
    st.text(st.characters(categories=["L", "Nd", "M"]), max_size=MAX_NAME_LENGTH)
    | st.text(string.ascii_letters + string.digits + "-_.", max_size=MAX_NAME_LENGTH)
    | st.text(st.sampled_from([char for pair in LOOK_ALIKES for char in pair]), max_size=MAX_NAME_LENGTH)
).map(lambda text: normalize("NFKC", text)).filter(is_clean)  # fmt: skip


def are_same(one: str, other: str) -> bool:
    return not set(likenesses(one)).isdisjoint(likenesses(other))


class CleanNameTests(SynchronousTestCase):
    def test_good(self) -> None:
        """Letters, digits and their marks of any script, and ``-_.``, are a name."""
        for raw, name in [
            ("bob", "bob"),
            ("  Bob_2.x-  ", "Bob_2.x-"),
            ("e\u0301ve", "éve"),
            ("ｂｏｂ①", "bob1"),
            ("straße", "straße"),
            ("日本", "日本"),
            ("हिन्दी", "हिन्दी"),
            ("ไทย", "ไทย"),
            ("שלום", "שלום"),
            ("می\u200cخواهم", "می\u200cخواهم"),
            ("x" * MAX_NAME_LENGTH, "x" * MAX_NAME_LENGTH),
        ]:
            assert clean_name(raw) == name

    def test_bad(self) -> None:
        """Whatever else is refused, with a sentence that says why."""
        for raw, why in [
            ("", "letter or a digit"),
            (" \n", "letter or a digit"),
            ("...", "letter or a digit"),
            ("x" * (MAX_NAME_LENGTH + 1), "too long"),
            ("x" * 32_000, "too long"),
            ("\ufdfa" * 2, "too long"),
            ("a b", "U+0020 SPACE"),
            ("a!", "! can't"),
            ("#a", "# can't"),
            ("a\x1b[2J", "U+001B can't"),
            ("a\n*** root", "U+000A can't"),
            ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
            ("a🙂", "SLIGHTLY SMILING FACE"),
            ("a\u3164", "HANGUL JUNGSEONG FILLER"),
            ("a\ufe0f", "VARIATION SELECTOR-16"),
            ("a\u034fb", "COMBINING GRAPHEME JOINER"),
            ("a\u200db", "ZERO WIDTH JOINER"),
            ("a\u00adb", "SOFT HYPHEN"),
            ("a\u0378", "U+0378 can't"),
            ("\ud800a", "U+D800 can't"),
            ("\u0301e", "no letter"),
            ("a-\u0301", "no letter"),
            ("a" + "\u0316\u0317\u0318\u0319\u031c", "no letter"),
            ("abcא", "jumbled"),
        ]:
            with pytest.raises(ChatError) as caught:
                clean_name(raw)
            assert caught.value.code == "bad-name"
            assert why in caught.value.text, caught.value.text

    def test_room(self) -> None:
        """A room has the rules of a name; one ``#`` before it is dropped."""
        assert clean_room(" #lobby ") == "lobby"
        assert clean_room("lobby") == "lobby"
        for raw in ["##lobby", "#", "a#b", "lobby!"]:
            with pytest.raises(ChatError) as caught:
                clean_room(raw)
            assert caught.value.code == "bad-room"
            assert "room" in caught.value.text

    @given(ANYTHING)
    def test_anything(self, raw: str) -> None:
        """Anything gives a name that keeps the rules, or a sentence that is safe to show."""
        try:
            name = clean_name(raw)
        except ChatError as error:
            sentence = error.text
            assert safe(sentence) == sentence
        else:
            assert 1 <= len(name) <= MAX_NAME_LENGTH
            assert normalize("NFKC", name) == name == safe(name) == clean_name(name)
            assert not category(name[0]).startswith("M")


class LikenessTests(SynchronousTestCase):
    def test_same(self) -> None:
        """Names that differ only in case or in letters that look alike share a key."""
        for one, other in [
            ("Bob", "bob"),
            ("Bob", "BOB"),
            ("alice", "аlice"),
            ("Ian", "lan"),
            ("Ian", "ian"),
            ("b0b", "bOb"),
            ("b0b", "bob"),
            ("straße", "STRASSE"),
            ("mary", "rnary"),
            ("MARY", "rnary"),
            ("coco", "сосо"),
            ("ΟΔΟΣ", "οδος"),
            ("İpek", "i\u0307pek"),
            ("می\u200cخواهم", "میخواهم"),
            ("ＢＯＢ", "bob"),
        ]:
            assert are_same(one, other), (one, other)

    def test_different(self) -> None:
        """Names that nobody mixes up share no key, although each may be like a third."""
        for one, other in [("ian", "lan"), ("kai", "kal"), ("bob", "rob"), ("jose", "josé"), ("a-b", "a_b")]:
            assert not are_same(one, other), (one, other)

    @given(NAMES)
    def test_case_and_form(self, name: str) -> None:
        """A name in another case or normalisation form is the same name."""
        for other in [name.lower(), name.upper(), name.title(), name.swapcase(), name.casefold()]:
            assert are_same(name, other)
        for form in ["NFC", "NFD", "NFKC", "NFKD"]:
            assert likenesses(normalize(form, name)) == likenesses(name)  # type: ignore[arg-type]

    @given(NAMES, st.sampled_from(LOOK_ALIKES), st.integers(0, MAX_NAME_LENGTH))
    def test_look_alike(self, name: str, pair: tuple[str, str], at: int) -> None:
        """A name with one letter replaced by one that looks alike is the same name."""
        char, other = pair
        one, two = name[:at] + char + name[at:], name[:at] + other + name[at:]
        assume(normalize("NFKC", one) == one and normalize("NFKC", two) == two)
        assert are_same(one, two)

    def test_every_character(self) -> None:
        """Keys are final: the key of a key is the same key, whatever the character."""
        for char in map(chr, range(0x110000)):
            if category(char)[0] in "LNM":
                for key in likenesses(char):
                    assert set(likenesses(key)) == {key}, ascii(char)


class RegisterTests(SynchronousTestCase):
    def test_claim(self) -> None:
        """A name in use, or one that looks like it, is refused with a sentence that says which."""
        register: Register[int] = Register()
        register.claim("Alice", 1)
        for name, sentence in [
            ("aLICE", "The name aLICE is taken. Choose another one."),
            ("Аlice", "Аlice looks like Alice, which is taken. Choose a name that differs more."),
        ]:
            with pytest.raises(ChatError) as caught:
                register.claim(name, 2)
            assert caught.value.code == "name-taken"
            assert caught.value.text == sentence

    def test_find(self) -> None:
        """A name is found in any case and by its looks, best by its case."""
        register: Register[int] = Register()
        register.claim("lan", 1)
        assert register.find("LAN") == register.find("Ian") == 1
        register.claim("ian", 2)
        assert register.find("Ian") == 2
        assert register.find("bob") is None

    def test_owner(self) -> None:
        """By its exact spelling a name is found with no other."""
        register: Register[int] = Register()
        register.claim("lan", 1)
        assert register.owner("lan") == 1
        assert register.owner("LAN") is None

    def test_rename(self) -> None:
        """One can take another spelling of one's own name, but nobody else's."""
        register: Register[int] = Register()
        register.claim("bob", 1)
        register.claim("carol", 2)
        register.rename("bob", "B0B")
        assert register.find("bob") == 1
        with pytest.raises(ChatError):
            register.rename("B0B", "Carol")
        register.rename("B0B", "dave")
        assert register.find("bob") is None
        assert register.find("dave") == 1
        with pytest.raises(KeyError):
            register.rename("bob", "erin")

    def test_release(self) -> None:
        """Only a name just as it was claimed can be released."""
        register: Register[int] = Register()
        register.claim("bob", 1)
        with pytest.raises(KeyError):
            register.release("Bob")
        register.release("bob")
        with pytest.raises(KeyError):
            register.release("bob")
        register.claim("BOB", 2)

    def test_any_use(self) -> None:
        """Whatever is claimed, renamed and released, nobody's name is like another's, or left behind."""
        run_state_machine_as_test(RegisterMachine)


SIMILAR = st.sampled_from(["ian", "Ian", "IAN", "lan", "LAN", "1an", "Lаn", "m", "rn", "RN", "M", "bob", "b0b"])


class RegisterMachine(RuleBasedStateMachine):
    """A Register beside a plain dict of the names in use."""

    def __init__(self) -> None:
        super().__init__()
        self.register: Register[str] = Register()
        self.names: dict[str, str] = {}

    def is_free(self, name: str, besides: str = "") -> bool:
        return not any(are_same(name, other) for other in self.names if other != besides)

    @rule(name=SIMILAR)
    def claim(self, name: str) -> None:
        free = self.is_free(name)
        try:
            self.register.claim(name, f"owner of {name}")
        except ChatError:
            assert not free
        else:
            assert free
            self.names[name] = f"owner of {name}"

    @rule(old=SIMILAR, new=SIMILAR)
    def rename(self, old: str, new: str) -> None:
        free = self.is_free(new, besides=old)
        try:
            self.register.rename(old, new)
        except KeyError:
            assert old not in self.names
        except ChatError:
            assert not free
        else:
            assert free
            self.names[new] = self.names.pop(old)

    @rule(name=SIMILAR)
    def release(self, name: str) -> None:
        try:
            self.register.release(name)
        except KeyError:
            assert name not in self.names
        else:
            del self.names[name]

    @invariant()
    def finds_just_what_is_there(self) -> None:
        for name, owner in self.names.items():
            assert self.register.find(name) == owner
        for name in ["ian", "Ian", "lan", "rn", "M", "bob"]:
            assert (self.register.find(name) is None) == self.is_free(name)
