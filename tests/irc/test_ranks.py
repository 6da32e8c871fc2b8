"""Ranks and rules, operators and what one says of oneself, as IRC has them."""

from __future__ import annotations

from tests.irc.client import come
from tests.irc.test_asking import AskingCase


class RoomModeTests(AskingCase):
    def made(self, *names: str) -> None:
        """Alice makes #den, and others come."""
        self.alice.say("JOIN #den")
        self.others = [come(self.world, name, rooms=["den"]) for name in names]
        self.alice.news()

    def test_rules_are_told(self) -> None:
        """The rules of a room and when it was made; the key only to those who are in it."""
        self.made()
        self.alice.say("MODE #den +klm secret 30")
        self.assertEqual(self.ask("MODE #den")[0], "324 #den +mnkl secret 30")
        bob = come(self.world, "bob")
        self.assertEqual(self.ask("MODE #den", of=bob)[0], "324 #den +mnkl * 30")
        self.assertEqual(self.ask("MODE #nowhere")[0].split(" ")[0], "403")

    def test_hidden(self) -> None:
        """Of a hidden room nothing is told, nor how its name is spelled."""
        self.alice.say("JOIN #Den", "MODE #Den +s")
        bob = come(self.world, "bob")
        for command in ("MODE #den", "HISTORY #den", "KICK #den alice"):
            told = self.ask(command, of=bob)
            self.assertEqual(told[0].split(" ")[1], "#den", told)
            self.assertNotIn("#Den", told[0])

    def test_changes_are_told(self) -> None:
        """A change of an op is told to all, with its parameters as they are kept; what is so already is not told."""
        self.made("bob")
        self.assertEqual(self.ask("MODE #den +vn-b+i BOB eve"), [":alice!~alice@a.ip MODE #den +vi bob"])
        self.world.pass_seconds(1)
        self.assertEqual(
            [line for line in self.news(self.others[0]) if "MODE" in line], [":alice!~alice@a.ip MODE #den +vi bob"]
        )

    def test_lists(self) -> None:
        """Masks are told with who has set them and when; anybody may ask."""
        self.made("bob")
        self.alice.say("MODE #den +b eve", "MODE #den +e *!*@x.ip", "MODE #den +I zoe!*@*")
        for letter, entry, end, mask in (
            ("b", "367", "368", "eve!*@*"),
            ("e", "348", "349", "*!*@x.ip"),
            ("I", "346", "347", "zoe!*@*"),
        ):
            told = self.ask(f"MODE #den {letter}", of=self.others[0])
            self.assertEqual(told[0].rpartition(" ")[0], f"{entry} #den {mask} alice", letter)
            self.assertEqual(told[1], f"{end} #den :That is all.")

    def test_refused(self) -> None:
        """Each mistake has its number."""
        self.made("bob")
        bob = self.others[0]
        for line, number in (("MODE #den +i", "482"), ("KICK #den alice", "482")):
            self.assertEqual(self.ask(line, of=bob)[0].split(" ")[0], number, line)
        for line, number in (
            ("MODE #den +y", "472"),
            ("MODE #den +o eve", "401"),
            ("MODE #den +k", "696"),
            ("MODE #den +l many", "696"),
            ("MODE #den +k a,b", "525"),
            ("KICK #den eve", "401"),
            ("KICK #den", "461"),
            ("KICK #lobby bob", "482"),
            ("INVITE bob #den", "443"),
            ("INVITE eve #den", "401"),
            ("INVITE bob #nowhere", "442"),
        ):
            self.assertEqual(self.ask(line)[0].split(" ")[0], number, line)

    def test_kick(self) -> None:
        """Who is removed is told by whom and why, and may come again."""
        self.made("bob")
        self.alice.say("KICK #den bob :rude")
        self.world.pass_seconds(1)
        self.assertIn(":alice!~alice@a.ip KICK #den bob :rude", self.news(self.others[0]))
        self.assertEqual(self.ask("PRIVMSG #den :hi", of=self.others[0])[0].split(" ")[0], "404")
        self.others[0].say("JOIN #den")
        self.assertIn(":bob!~bob@a.ip JOIN #den", [line.replace(" :#", " #") for line in self.news(self.others[0])])

    def test_entering(self) -> None:
        """A key, a limit, an invitation, a ban: each refusal has its number; an invitation passes them all."""
        self.made()
        bob = come(self.world, "bob")
        for change, number, back in (
            ("+k sesame", "475", "-k sesame"),
            ("+l 1", "471", "-l"),
            ("+i", "473", "-i"),
            ("+b bob", "474", "-b bob"),
        ):
            self.alice.say(f"MODE #den {change}")
            self.assertEqual(self.ask("JOIN #den", of=bob)[0].split(" ")[0], number, change)
            self.alice.say(f"MODE #den {back}")
        self.alice.say("MODE #den +kbi sesame bob")
        self.assertEqual(self.ask("INVITE BOB #den"), ["341 bob #den"])
        self.assertIn(":alice!~alice@a.ip INVITE bob #den", self.news(bob))
        self.assertIn("JOIN", self.ask("JOIN #den", of=bob)[0])
        eve = come(self.world, "eve")
        self.alice.say("MODE #den -i")
        self.assertIn("JOIN", self.ask("JOIN #den sesame", of=eve)[0])

    def test_moderated(self) -> None:
        """In a moderated room those with a rank speak alone; what is said there by others is refused."""
        self.made("bob")
        self.alice.say("MODE #den +m")
        self.assertEqual(self.ask("PRIVMSG #den :hi", of=self.others[0])[0].split(" ")[0], "404")
        self.alice.say("MODE #den +v bob")
        self.assertEqual(self.ask("PRIVMSG #den :hi", of=self.others[0]), [])

    def test_topic_of_ops(self) -> None:
        """With +t only ops set the topic."""
        self.made("bob")
        self.alice.say("MODE #den +t")
        self.assertEqual(self.ask("TOPIC #den :mine", of=self.others[0])[0].split(" ")[0], "482")


class OwnModeTests(AskingCase):
    def test_own_modes(self) -> None:
        """One's own modes are told and set; others' are not one's affair; nobody makes itself an operator."""
        self.assertEqual(self.ask("MODE alice"), ["221 +"])
        self.assertEqual(self.ask("MODE alice +Bwio"), [":alice!~alice@a.ip MODE alice +Biw"])
        self.assertEqual(
            self.ask("MODE alice -w+x"), ["501 :There is no such mode of a person.", ":alice!~alice@a.ip MODE alice -w"]
        )
        self.assertEqual(self.ask("MODE alice"), ["221 +Bi"])
        come(self.world, "bob")
        come(self.world, "bob")
        self.assertEqual(self.ask("MODE bob +i")[0].split(" ")[0], "502")
        self.assertEqual(self.ask("MODE nobody +i")[0].split(" ")[:2], ["401", "nobody"])
        self.assertEqual(self.ask("MODE n*body")[0].split(" ")[:2], ["401", "n*body"])

    def test_setname(self) -> None:
        """A new real name is what WHOIS tells."""
        self.ask("SETNAME :Alice in Wonderland")
        self.assertEqual(self.ask("WHOIS alice")[0], "311 alice ~alice a.ip * :Alice in Wonderland")


class OperatorTests(AskingCase):
    def test_nobody_is_one(self) -> None:
        """Without --oper nobody becomes an operator, and what is for operators is refused."""
        for line, number in (("OPER a b", "491"), ("OPER a", "461"), ("KILL bob :x", "481"), ("WALLOPS :x", "481")):
            self.assertEqual(self.ask(line)[0].split(" ")[0], number, line)
