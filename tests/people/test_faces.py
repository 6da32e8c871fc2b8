"""How those are seen who share rooms with somebody here."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.people.faces import Faces
from twistedchat.profiles import Profile

ANN = Profile("ann", "a.ip")
BOB = Profile("bob", "b.ip")


class FacesTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.faces = Faces()
        self.faces.set("lobby", {"ann": ANN, "bob": BOB})
        self.faces.set("tea", {"ann": ANN})

    def test_known_while_in_a_room(self) -> None:
        """Somebody is known as long as a room is shared, and as it was read last."""
        self.assertEqual((self.faces.get("ann"), self.faces.get("eve")), (ANN, None))
        away = ANN._replace(away="tea")
        self.assertEqual(self.faces.set("lobby", {"ann": away}), [("ann", ANN, away)])
        self.assertEqual(self.faces.set("lobby", {"ann": away}), [])
        self.assertEqual((self.faces.get("ann"), self.faces.get("bob")), (away, None))
        self.faces.set("lobby", {})
        self.assertEqual((self.faces.get("ann"), self.faces.rooms_of("ann")), (away, ["tea"]))
        self.faces.set("tea", {})
        self.assertEqual((self.faces.get("ann"), self.faces.rooms_of("ann")), (None, []))

    def test_rooms(self) -> None:
        """Of each the rooms are known; those that nobody is in any more are forgotten."""
        self.assertEqual(
            [(name, list(rooms)) for name, _, rooms in self.faces.everybody()],
            [("ann", ["lobby", "tea"]), ("bob", ["lobby"])],
        )
        self.faces.keep_only(["tea"])
        self.assertEqual([name for name, _, _ in self.faces.everybody()], ["ann"])
        self.assertEqual(self.faces.rooms_of("ann"), ["tea"])
