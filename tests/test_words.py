"""The words of the code: constants say what they are and why, docstrings say more than the name does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

import twistedchat

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(twistedchat.__file__).parent

CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")

MANNERS = {"so", "how", "what", "when", "whether", "about", "more", "the", "source"}
"""First words of a docstring that does not begin with the thing."""

UNITS = {
    "_SECONDS": "second",
    "_BYTES": "byte",
    "_LINES": "line",
    "_EVENTS": "event",
    "_ROOMS": "room",
    "_LENGTH": "character|letter",
}
"""How a constant's docstring names its unit, by the end of its name."""

SAYS_NOTHING = {"a", "an", "the", "of", "this", "its", "is", "are", "get", "return", "returns", "for", "to"}
"""Words that add nothing to a name."""


class Constant(NamedTuple):
    """A constant of a module.

    Attributes:
        place: Its module and name.
        name: Its name.
        is_number: Whether it is a number.
        docstring: "" if there is none.
    """

    place: str
    name: str
    is_number: bool
    docstring: str


def server_modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the server, by its path in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("client/"):
            yield name, ast.parse(path.read_text("utf-8"))


def docstring_of(node: ast.stmt | None) -> str:
    """The text of a statement that is a text alone, or ""."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return ""


def is_number(value: ast.expr) -> bool:
    """Whether an expression is a number: written out, or reckoned from numbers."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int | float) and not isinstance(value.value, bool)
    if isinstance(value, ast.UnaryOp):
        return is_number(value.operand)
    return isinstance(value, ast.BinOp) and (is_number(value.left) or is_number(value.right))


def is_bytes_or_pattern(value: ast.expr) -> bool:
    """Whether an expression is bytes, a pattern, or several of them."""
    if isinstance(value, ast.Tuple):
        return all(map(is_bytes_or_pattern, value.elts))
    if isinstance(value, ast.BinOp):
        return is_bytes_or_pattern(value.left) or is_bytes_or_pattern(value.right)
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) == "re.compile"
    return isinstance(value, ast.Constant) and isinstance(value.value, bytes)


def assigned(node: ast.stmt) -> tuple[list[str], ast.expr] | None:
    """The names and the value of an assignment."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return [node.target.id], node.value
    if isinstance(node, ast.Assign):
        names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        return names, node.value
    return None


def docstring_below(body: list[ast.stmt], place: int) -> str:
    """The text right below an assignment, or below the others that follow on it line by line."""
    for above, node in zip(body[place:], body[place + 1 :], strict=False):
        if node.lineno != (above.end_lineno or 0) + 1:
            break
        if assigned(node) is None:
            return docstring_of(node)
    return ""


def constants() -> Iterator[Constant]:
    """Numbers, bytes and patterns of the server's modules. Those of one block share the docstring below it."""
    for module, tree in server_modules():
        body = tree.body
        for place, node in enumerate(body):
            found = assigned(node)
            if found is None or not (is_number(found[1]) or is_bytes_or_pattern(found[1])):
                continue
            below = docstring_below(body, place)
            for name in filter(CONSTANT.fullmatch, found[0]):
                yield Constant(f"{module}: {name}", name, is_number(found[1]), below)


def documented(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each function and class of a module that has a docstring, and that docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.name, docstring


def words_of(text: str) -> set[str]:
    """The words of a name or a sentence, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text)}


def first_word(docstring: str) -> str:
    """The word that a docstring begins with, in small letters; "" if there is none."""
    return next(iter(re.findall(r"\w+", docstring)), "").lower()


class ConstantsTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.constants = list(constants())

    def test_some_are_found(self) -> None:
        """The test looks at what it is meant to look at."""
        names = {constant.place for constant in self.constants}
        some = {"writer.py: MAX_WAITING_LINES", "doors/first_line.py: _HTTP", "doors/telnet.py: IAC"}
        self.assertLessEqual(some, names)

    def test_docstring(self) -> None:
        """Each number, bytes constant and pattern of a module has a docstring."""
        self.assertEqual([constant.place for constant in self.constants if not constant.docstring], [])

    def test_source(self) -> None:
        """Each number says where it comes from."""
        numbers = [constant for constant in self.constants if constant.is_number]
        self.assertEqual([one.place for one in numbers if "Source: " not in " ".join(one.docstring.split())], [])

    def test_thing_first(self) -> None:
        """A docstring begins with the thing, not with its manner."""
        manners = [one.place for one in self.constants if first_word(one.docstring) in MANNERS]
        self.assertEqual(manners, [])

    def test_unit(self) -> None:
        """A constant whose name ends in a unit is described in that unit."""
        for constant in self.constants:
            for end, unit in UNITS.items():
                if constant.is_number and constant.name.endswith(end):
                    self.assertRegex(constant.docstring.lower(), unit, constant.place)


class DocstringsTests(SynchronousTestCase):
    def test_more_than_the_name(self) -> None:
        """No docstring says only the name again."""
        for module, tree in server_modules():
            for name, docstring in documented(tree):
                self.assertTrue(words_of(docstring) - SAYS_NOTHING - words_of(name), f"{module}: {name}: {docstring}")

    def test_modules(self) -> None:
        """Every module says what it is."""
        self.assertEqual([name for name, tree in server_modules() if not ast.get_docstring(tree)], [])

    def test_knowledge(self) -> None:
        """Every module of rooms and doors says what it knows and what it must not know."""
        for name, tree in server_modules():
            if name.startswith(("rooms/", "doors/")) and not name.endswith("__init__.py"):
                docstring = " ".join((ast.get_docstring(tree) or "").split())
                self.assertRegex(docstring, r"\b[Kk]nows\b", name)
                self.assertRegex(docstring, r"\b[Mm]ust not know\b", name)
