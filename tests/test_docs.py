"""The documents say what the code does: tables of verbs, codes, limits."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

import twistedchat
from twistedchat import events, masks, names, operators, ruler, rules, service, speaker, tags, verbs, visitor, writer
from twistedchat.doors import port, request, stream, wire
from twistedchat.errors import ChatError
from twistedchat.formats import base, jsonl
from twistedchat.hub import Hub
from twistedchat.irc import caps, support
from twistedchat.options import Options
from twistedchat.people import base as people_base
from twistedchat.people import local
from twistedchat.rooms import audience, charter, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(twistedchat.__file__).parent
DOCS = PACKAGE.parent / "docs"

REACHES_NOBODY = {"lost"}
"""Codes of errors whose peer is gone."""

SETTINGS = port.Settings()

LIMITS = {
    "a name, a room's name": f"{names.MAX_NAME_LENGTH} characters",
    "a text": f"{events.MAX_TEXT_BYTES:,} bytes",
    "a line": f"{jsonl.MAX_LINE_BYTES >> 10} KiB",
    "a key": f"{speaker.MAX_KEY_LENGTH} characters",
    "tags": f"{tags.MAX_TAG_BYTES:,} bytes, as IRC writes them",
    "an id": f"{request.MAX_ID_LENGTH} characters",
    "a parting word": f"{visitor.MAX_PARTING_LENGTH} characters; the rest is left out",
    "rooms of one session": f"{rules.MAX_ROOMS}",
    "lines of one connection": f"{SETTINGS.pace.rate} a second, after {SETTINGS.pace.burst} at once",
    "lines that wait to be stored, of all connections together": (
        f"{writer.MAX_WAITING_LINES:,}, or {writer.MAX_WAITING_BYTES >> 20} MiB of text; "
        "at either nobody who talks is read"
    ),
    "connections": f"the open files that the process may have, less {service.RESERVED_FILES}",
    "until a name is given": f"{SETTINGS.login_seconds:g} seconds",
    "a peer that takes nothing of what waits for it": f"{wire.STALL_SECONDS:g} seconds, then it is let go",
    "a lost session": f"{people_base.LINGER_SECONDS:g} seconds; at most {local.MAX_LINGERING:,} of them",
    "events in a page": (f"{tail.PAGE_EVENTS}, and {base.PAGE_BYTES >> 10} KiB of what is sent; one event always fits"),
    "events shown on entering": f"{(Hub.__init__.__kwdefaults__ or {})['history']}",
    "masks of a room": f"{charter.MAX_MASKS}, in all its lists together",
    "a mask": f"{masks.MAX_MASK_BYTES} bytes",
    "a key of a room": f"{charter.MAX_KEY_BYTES} bytes",
    "changes of rules at a time": f"{charter.MAX_CHANGES}; the rest is left out",
    "invitations of a room that wait": f"{charter.MAX_INVITED}; the oldest is forgotten",
    "why somebody is removed": f"{ruler.MAX_WHY_BYTES} bytes; the rest is left out",
    "wrong passwords of an operator": f"{operators.MAX_WRONG} in a minute from one connection",
    "a closed connection": f"{stream.CLOSE_SECONDS:g} seconds, until the peer closes too",
}
"""The limits of docs/protocol.md, as the code has them."""


def document(name: str) -> str:
    """The text of a document."""
    return (DOCS / name).read_text("utf-8")


def marked(text: str, mark: str) -> str:
    """What stands in a document between ``<!-- mark -->`` and ``<!-- end -->``."""
    _, _, rest = text.partition(f"<!-- {mark} -->\n")
    found, end, _ = rest.partition("\n<!-- end -->")
    assert end, f"no {mark} is marked"
    return found


def rows(table: str) -> list[list[str]]:
    """The cells of a table in Markdown, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def in_backquotes(cells: list[str]) -> set[str]:
    """All that is written as code."""
    return set(re.findall(r"`([^`]+)`", " ".join(cells)))


def first_arguments(function: str) -> Iterator[str]:
    """The first argument of each call of a function in the server, where it is a text; an f-string as a pattern."""
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] == "client":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function and node.args:
                yield from _pattern(node.args[0])


def _pattern(argument: ast.expr) -> Iterator[str]:
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
        yield "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z]+" for part in parts)


class ProtocolTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.text = document("protocol.md")

    def test_ops(self) -> None:
        """The ops of JSON lines are those of the table of verbs, word for word."""
        self.assertEqual(marked(self.text, "ops"), verbs.ops_table())

    def test_words(self) -> None:
        """The commands of plain text are those of the table of verbs, word for word."""
        self.assertEqual(marked(self.text, "words"), verbs.words_table())

    def check_codes(self, mark: str, raised: set[str]) -> None:
        """Every code that the server gives stands in a table, and no other."""
        written = in_backquotes([row[0] for row in rows(marked(self.text, mark))])
        self.assertEqual([code for code in written if not any(re.fullmatch(each, code) for each in raised)], [])
        self.assertEqual([each for each in raised if not any(re.fullmatch(each, code) for code in written)], [])

    def test_codes_of_errors(self) -> None:
        """Every code of an error that the server raises is listed, and no other."""
        self.check_codes("codes", set(first_arguments("ChatError")) - REACHES_NOBODY)

    def test_codes_of_closing(self) -> None:
        """Every code with which the server closes a connection is listed, and no other."""
        codes = {*first_arguments("Farewell"), *first_arguments("person.evict")}
        self.check_codes("closing", codes)

    def test_limits(self) -> None:
        """The limits are those of the code."""
        self.assertEqual({row[0]: row[1] for row in rows(marked(self.text, "limits"))}, LIMITS)

    def test_reserved_names(self) -> None:
        """The names that are said to be nobody's are."""
        sentence = self.text[self.text.index("Some names are nobody's") :].partition(":")[2].partition(", and ")[0]
        reserved = in_backquotes([sentence])
        self.assertIn("NickServ", reserved)
        for name in reserved:
            self.assertEqual(self.assertRaises(ChatError, names.clean_new_name, name).code, "bad-name")

    def test_small_rooms(self) -> None:
        """The size up to which people are told by name is the code's."""
        self.assertIn(f"rooms of more than {audience.SMALL_ROOM} members", self.text)


class OperationsTests(SynchronousTestCase):
    def test_memory(self) -> None:
        """Each bound of memory is that of the constant that it names."""
        table = rows(marked(document("operations.md"), "memory"))
        self.assertGreater(len(table), 5)
        for what, bound, constants in table:
            for constant in in_backquotes([constants]):
                self.assertIn(told(constant), bound, what)

    def test_options(self) -> None:
        """Every option is described."""
        text = document("operations.md")
        for name, *_ in Options.optParameters:
            self.assertIn(f"| `--{name}` |", text)


class IrcTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.text = " ".join(document("irc.md").split())

    def words(self, after: str) -> list[str]:
        """The words that are written as code behind something."""
        return self.text.partition(after)[2].split("`")[1].split()

    def test_capabilities(self) -> None:
        """Every capability that is offered is listed, and no other."""
        self.assertEqual(sorted(self.words("Capabilities: ")), sorted(caps.CAPABILITIES))

    def test_support(self) -> None:
        """What clients are told with 005 is listed, word for word."""
        self.assertEqual(self.words("005: "), [word for line in support.support("…") for word in line])


class NamesTests(SynchronousTestCase):
    """What the documents name is there."""

    def test_house(self) -> None:
        """The picture of the house has every module of the server, and no other, each in its folder."""
        picture = document("architecture.md").partition("```\ntwistedchat/\n")[2].partition("```")[0]
        folder, drawn = "", set()
        for line in re.findall(r"^  .*", picture, re.MULTILINE):
            first = line.split()[0]
            if line[2] != " ":
                folder = first if first.endswith("/") else ""
            drawn |= {folder + name for name in re.findall(r"\b\w+\.py\b", line)}
        there = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
        self.assertEqual(drawn, {name for name in there if not name.startswith("client/")})

    def test_files(self) -> None:
        """Every file of the project that a document names exists."""
        folders = [PACKAGE, PACKAGE.parent]
        for name, text in documents():
            for path in re.findall(r"`((?:tests|doors|rooms|stores|formats|client|docs)/[\w/.]+\.\w+)`", text):
                self.assertTrue(any((folder / path).exists() for folder in folders), f"{name}: {path}")

    def test_links(self) -> None:
        """Every link within the project leads somewhere."""
        for name, text in documents():
            for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
                path, _, anchor = link.partition("#")
                target = (PACKAGE.parent / name).parent / path if path else PACKAGE.parent / name
                self.assertTrue(target.exists(), f"{name}: {link}")
                self.assertTrue(not anchor or anchor in anchors(target.read_text("utf-8")), f"{name}: {link}")

    def test_attributes(self) -> None:
        """Every attribute of a class of the server that a document names exists."""
        known = attributes()
        for name, text in documents():
            for owner, attribute in re.findall(r"`([A-Z]\w+)\.(\w+)(?:\(\))?`", text):
                if owner in known:
                    self.assertIn(attribute, known[owner], name)


def documents() -> Iterator[tuple[str, str]]:
    """Each document of the project, by its path, and its text."""
    for path in sorted([*DOCS.glob("*.md"), *PACKAGE.parent.glob("*.md")]):
        yield path.relative_to(PACKAGE.parent).as_posix(), path.read_text("utf-8")


def anchors(text: str) -> set[str]:
    """What can be linked to in a document: its headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def attributes() -> dict[str, set[str]]:
    """The functions and attributes of each class of the server, by its name, with those of what it inherits from."""
    known: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                known.setdefault(node.name, set()).update(_members(node))
                bases.setdefault(node.name, []).extend(ast.unparse(base) for base in node.bases)

    def inherited(name: str) -> set[str]:
        return known.get(name, set()).union(*(inherited(other) for other in bases.get(name, ()) if other != name))

    return {name: inherited(name) for name in known}


def _members(node: ast.ClassDef) -> Iterator[str]:
    """Functions of a class, and what is set in its body or on ``self``."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner.name
        elif isinstance(inner, ast.Attribute | ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.attr if isinstance(inner, ast.Attribute) else inner.id


def told(constant: str) -> str:
    """The value of a constant, ``module.NAME``, as a document has it."""
    module, _, name = constant.rpartition(".")
    value = getattr(importlib.import_module(f"twistedchat.{module}"), name)
    unit = name.rpartition("_")[2]
    if unit == "KIB":
        value, unit = value * 1024, "BYTES"
    if unit != "BYTES":
        return f"{value:,g}" if isinstance(value, float) else f"{value:,}"
    return f"{value >> 20} MiB" if value >= 1 << 20 else f"{value >> 10} KiB"
