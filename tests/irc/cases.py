"""The cases of ircdocs/parser-tests, as data: lines and their parts, and masks.

Source: github.com/ircdocs/parser-tests at 6b417e6, msg-split.yaml, msg-join.yaml and mask-match.yaml (CC0).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["JOINS", "MASKS", "SPLITS", "Parts"]


class Parts(NamedTuple):
    """What a line is made of."""

    tags: dict[str, str]
    source: str
    command: str
    params: list[str]


SPLITS: list[tuple[str, Parts]] = [
    ("foo bar baz asdf", Parts({}, "", "foo", ["bar", "baz", "asdf"])),
    (":coolguy foo bar baz asdf", Parts({}, "coolguy", "foo", ["bar", "baz", "asdf"])),
    ("foo bar baz :asdf quux", Parts({}, "", "foo", ["bar", "baz", "asdf quux"])),
    ("foo bar baz :", Parts({}, "", "foo", ["bar", "baz", ""])),
    ("foo bar baz ::asdf", Parts({}, "", "foo", ["bar", "baz", ":asdf"])),
    (":coolguy foo bar baz :asdf quux", Parts({}, "coolguy", "foo", ["bar", "baz", "asdf quux"])),
    (":coolguy foo bar baz :  asdf quux ", Parts({}, "coolguy", "foo", ["bar", "baz", "  asdf quux "])),
    (":coolguy PRIVMSG bar :lol :) ", Parts({}, "coolguy", "PRIVMSG", ["bar", "lol :) "])),
    (":coolguy foo bar baz :", Parts({}, "coolguy", "foo", ["bar", "baz", ""])),
    (":coolguy foo bar baz :  ", Parts({}, "coolguy", "foo", ["bar", "baz", "  "])),
    ("@a=b;c=32;k;rt=ql7 foo", Parts({"a": "b", "c": "32", "k": "", "rt": "ql7"}, "", "foo", [])),
    ("@a=b\\\\and\\nk;c=72\\s45;d=gh\\:764 foo", Parts({"a": "b\\and\nk", "c": "72 45", "d": "gh;764"}, "", "foo", [])),
    ("@c;h=;a=b :quux ab cd", Parts({"c": "", "h": "", "a": "b"}, "quux", "ab", ["cd"])),
    (":src JOIN #chan", Parts({}, "src", "JOIN", ["#chan"])),
    (":src JOIN :#chan", Parts({}, "src", "JOIN", ["#chan"])),
    (":src AWAY", Parts({}, "src", "AWAY", [])),
    (":src AWAY ", Parts({}, "src", "AWAY", [])),
    (":cool\tguy foo bar baz", Parts({}, "cool\tguy", "foo", ["bar", "baz"])),
    (
        ":coolguy!ag@net\x035w\x03ork.admin PRIVMSG foo :bar baz",
        Parts({}, "coolguy!ag@net\x035w\x03ork.admin", "PRIVMSG", ["foo", "bar baz"]),
    ),
    (
        ":coolguy!~ag@n\x02et\x0305w\x0fork.admin PRIVMSG foo :bar baz",
        Parts({}, "coolguy!~ag@n\x02et\x0305w\x0fork.admin", "PRIVMSG", ["foo", "bar baz"]),
    ),
    (
        "@tag1=value1;tag2;vendor1/tag3=value2;vendor2/tag4= :irc.example.com COMMAND param1 param2 :param3 param3",
        Parts(
            {"tag1": "value1", "tag2": "", "vendor1/tag3": "value2", "vendor2/tag4": ""},
            "irc.example.com",
            "COMMAND",
            ["param1", "param2", "param3 param3"],
        ),
    ),
    (
        ":irc.example.com COMMAND param1 param2 :param3 param3",
        Parts({}, "irc.example.com", "COMMAND", ["param1", "param2", "param3 param3"]),
    ),
    (
        "@tag1=value1;tag2;vendor1/tag3=value2;vendor2/tag4 COMMAND param1 param2 :param3 param3",
        Parts(
            {"tag1": "value1", "tag2": "", "vendor1/tag3": "value2", "vendor2/tag4": ""},
            "",
            "COMMAND",
            ["param1", "param2", "param3 param3"],
        ),
    ),
    ("COMMAND", Parts({}, "", "COMMAND", [])),
    ("@foo=\\\\\\\\\\:\\\\s\\s\\r\\n COMMAND", Parts({"foo": "\\\\;\\s \r\n"}, "", "COMMAND", [])),
    (
        ":gravel.mozilla.org 432  #momo :Erroneous Nickname: Illegal characters",
        Parts({}, "gravel.mozilla.org", "432", ["#momo", "Erroneous Nickname: Illegal characters"]),
    ),
    (":gravel.mozilla.org MODE #tckk +n ", Parts({}, "gravel.mozilla.org", "MODE", ["#tckk", "+n"])),
    (
        ":services.esper.net MODE #foo-bar +o foobar  ",
        Parts({}, "services.esper.net", "MODE", ["#foo-bar", "+o", "foobar"]),
    ),
    ("@tag1=value\\\\ntest COMMAND", Parts({"tag1": "value\\ntest"}, "", "COMMAND", [])),
    ("@tag1=value\\1 COMMAND", Parts({"tag1": "value1"}, "", "COMMAND", [])),
    ("@tag1=value1\\ COMMAND", Parts({"tag1": "value1"}, "", "COMMAND", [])),
    ("@tag1=1;tag2=3;tag3=4;tag1=5 COMMAND", Parts({"tag1": "5", "tag2": "3", "tag3": "4"}, "", "COMMAND", [])),
    (
        "@tag1=1;tag2=3;tag3=4;tag1=5;vendor/tag2=8 COMMAND",
        Parts({"tag1": "5", "tag2": "3", "tag3": "4", "vendor/tag2": "8"}, "", "COMMAND", []),
    ),
    (":SomeOp MODE #channel :+i", Parts({}, "SomeOp", "MODE", ["#channel", "+i"])),
    (
        ":SomeOp MODE #channel +oo SomeUser :AnotherUser",
        Parts({}, "SomeOp", "MODE", ["#channel", "+oo", "SomeUser", "AnotherUser"]),
    ),
]
"""A line, and what it is taken apart into."""

JOINS: list[tuple[Parts, list[str]]] = [
    (Parts({}, "", "foo", ["bar", "baz", "asdf"]), ["foo bar baz asdf", "foo bar baz :asdf"]),
    (Parts({}, "src", "AWAY", []), [":src AWAY"]),
    (Parts({}, "src", "AWAY", [""]), [":src AWAY :"]),
    (Parts({}, "coolguy", "foo", ["bar", "baz", "asdf"]), [":coolguy foo bar baz asdf", ":coolguy foo bar baz :asdf"]),
    (Parts({}, "", "foo", ["bar", "baz", "asdf quux"]), ["foo bar baz :asdf quux"]),
    (Parts({}, "", "foo", ["bar", "baz", ""]), ["foo bar baz :"]),
    (Parts({}, "", "foo", ["bar", "baz", ":asdf"]), ["foo bar baz ::asdf"]),
    (Parts({}, "coolguy", "foo", ["bar", "baz", "asdf quux"]), [":coolguy foo bar baz :asdf quux"]),
    (Parts({}, "coolguy", "foo", ["bar", "baz", "  asdf quux "]), [":coolguy foo bar baz :  asdf quux "]),
    (Parts({}, "coolguy", "PRIVMSG", ["bar", "lol :) "]), [":coolguy PRIVMSG bar :lol :) "]),
    (Parts({}, "coolguy", "foo", ["bar", "baz", ""]), [":coolguy foo bar baz :"]),
    (Parts({}, "coolguy", "foo", ["bar", "baz", "  "]), [":coolguy foo bar baz :  "]),
    (Parts({}, "coolguy", "foo", ["b\tar", "baz"]), [":coolguy foo b\tar baz", ":coolguy foo b\tar :baz"]),
    (
        Parts({"asd": ""}, "coolguy", "foo", ["bar", "baz", "  "]),
        ["@asd :coolguy foo bar baz :  ", "@asd= :coolguy foo bar baz :  "],
    ),
    (Parts({"asd": ""}, "coolguy", "foo", ["bar", "baz", "  "]), ["@asd :coolguy foo bar baz :  "]),
    (
        Parts({"a": "b\\and\nk", "d": "gh;764"}, "", "foo", []),
        ["@a=b\\\\and\\nk;d=gh\\:764 foo", "@d=gh\\:764;a=b\\\\and\\nk foo"],
    ),
    (
        Parts({"a": "b\\and\nk", "d": "gh;764"}, "", "foo", ["par1", "par2"]),
        [
            "@a=b\\\\and\\nk;d=gh\\:764 foo par1 par2",
            "@a=b\\\\and\\nk;d=gh\\:764 foo par1 :par2",
            "@d=gh\\:764;a=b\\\\and\\nk foo par1 par2",
            "@d=gh\\:764;a=b\\\\and\\nk foo par1 :par2",
        ],
    ),
    (Parts({"foo": "\\\\;\\s \r\n"}, "", "COMMAND", []), ["@foo=\\\\\\\\\\:\\\\s\\s\\r\\n COMMAND"]),
]
"""Parts, and the lines that may be made of them."""

MASKS: list[tuple[str, list[str], list[str]]] = [
    (
        "*@127.0.0.1",
        ["coolguy!ab@127.0.0.1", "cooldud3!~bc@127.0.0.1"],
        ["coolguy!ab@127.0.0.5", "cooldud3!~d@124.0.0.1"],
    ),
    (
        "cool*@*",
        ["coolguy!ab@127.0.0.1", "cooldud3!~bc@127.0.0.1", "cool132!ab@example.com"],
        ["koolguy!ab@127.0.0.5", "cooodud3!~d@124.0.0.1"],
    ),
    (
        "cool!*@*",
        ["cool!guyab@127.0.0.1", "cool!~dudebc@127.0.0.1", "cool!312ab@example.com"],
        ["coolguy!ab@127.0.0.1", "cooldud3!~bc@127.0.0.1", "koolguy!ab@127.0.0.5", "cooodud3!~d@124.0.0.1"],
    ),
    ("cool!?username@*", ["cool!ausername@127.0.0.1", "cool!~username@127.0.0.1"], ["cool!username@127.0.0.1"]),
    ("cool!a?*@*", ["cool!ab@127.0.0.1", "cool!abc@127.0.0.1"], ["cool!a@127.0.0.1"]),
    (
        "cool[guy]!*@*",
        ["cool[guy]!guy@127.0.0.1", "cool[guy]!a@example.com"],
        ["coolg!ab@127.0.0.1", "cool[!ac@127.0.1.1"],
    ),
]
"""A mask, what it is true of, and what not."""
