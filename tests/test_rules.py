from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedchat.errors import ChatError
from twistedchat.rules import MAX_ROOMS, Actor, Place, may
from twistedchat.verbs import VERBS

ANN = Actor("ann", 1)
HERE, ELSEWHERE = Place("lobby", is_member=True), Place("py", is_member=False)
NOWHERE = Place("nowhere", is_member=False, exists=False)


class RulesTests(SynchronousTestCase):
    def refusal(self, actor: Actor, verb: str, place: Place | None = None) -> str:
        """The code, or "" if it may be done."""
        try:
            may(actor, verb, place)
        except ChatError as error:
            self.assertTrue(error.text.endswith("."))
            return error.code
        return ""

    def test_without_a_name(self) -> None:
        """Before a name was given only that may be asked which the table says."""
        for verb in VERBS:
            expected = "" if verb.nameless else "no-name"
            self.assertEqual(self.refusal(Actor("", 0), verb.name, HERE), expected, verb.name)
            self.assertEqual(self.refusal(Actor("", 0), verb.name), expected, verb.name)

    def test_with_a_name(self) -> None:
        """In a room that one is in everything may be done."""
        for verb in VERBS:
            self.assertEqual(self.refusal(ANN, verb.name, HERE), "", verb.name)

    def test_only_members(self) -> None:
        """To speak in a room, to leave it and to set one's place in it one must be in it, and is told what to do."""
        for verb in ("say", "me", "topic", "leave", "since"):
            self.assertEqual(self.refusal(ANN, verb, ELSEWHERE), "not-in-room", verb)
        with self.assertRaises(ChatError) as caught:
            may(ANN, "say", ELSEWHERE)
        self.assertIn("#py: join it first", caught.exception.text)

    def test_looking(self) -> None:
        """One may read, and see who is in, any room that there is."""
        for verb in ("history", "who"):
            self.assertEqual(self.refusal(ANN, verb, ELSEWHERE), "")
            self.assertEqual(self.refusal(ANN, verb, NOWHERE), "no-such-room")

    def test_too_many_rooms(self) -> None:
        """The number of rooms is limited; one that one is in is not another."""
        self.assertEqual(self.refusal(Actor("ann", MAX_ROOMS - 1), "join", NOWHERE), "")
        self.assertEqual(self.refusal(Actor("ann", MAX_ROOMS), "join", ELSEWHERE), "too-many-rooms")
        self.assertEqual(self.refusal(Actor("ann", MAX_ROOMS), "join", HERE), "")

    def test_no_room(self) -> None:
        """What is about no room needs only a name."""
        for verb in ("tell", "rename", "rooms"):
            self.assertEqual(self.refusal(ANN, verb), "")
