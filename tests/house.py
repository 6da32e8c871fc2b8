"""The package's source as data: which module imports which, and what its classes hold. Imports nothing of it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "CHECKOUT",
    "Module",
    "accesses",
    "attributes",
    "classes",
    "methods",
    "modules",
    "own",
    "public_members",
    "source_files",
]

CHECKOUT = Path(__file__).parent.parent
PACKAGE = "twistedchat"


class Module:
    """One module of the package.

    Attributes:
        name: Without the package's; "" is the package itself.
        tree: Its source.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.tree = ast.parse(source)

    @property
    def folder(self) -> str:
        return self.name.partition(".")[0]

    def imports(self, *, for_types: bool) -> set[str]:
        """The full names of what is imported when the program runs, or only for type checkers."""
        nodes = _nodes(self.tree, for_types=False)
        return {name for node, types_only in nodes if types_only is for_types for name in _imported(node)}

    def at_run_time(self) -> Iterator[ast.AST]:
        """All of it but what only a type checker reads."""
        return (node for node, types_only in _nodes(self.tree, for_types=False) if not types_only)


def _nodes(tree: ast.AST, *, for_types: bool) -> Iterator[tuple[ast.AST, bool]]:
    for node in ast.iter_child_nodes(tree):
        inside = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        yield node, inside
        yield from _nodes(node, for_types=inside)


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> dict[str, Module]:
    """Each module of the package, by its name."""
    found = {}
    for path in sorted((CHECKOUT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(CHECKOUT / PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = Module(name, path.read_text("utf-8"))
    return found


def own(names: Iterable[str], known: Iterable[str]) -> set[str]:
    """The modules of the package that these imports are of."""
    inner = [name.removeprefix(PACKAGE).removeprefix(".") for name in names if name.split(".")[0] == PACKAGE]
    return {name if name in known else name.rpartition(".")[0] for name in inner}


def source_files() -> dict[str, str]:
    """The text of each file of Python that this project keeps, by its path."""
    folders = ("twistedchat", "twisted/plugins", "tests", "benchmarks", "docs", "examples")
    paths = [path for folder in folders for path in sorted((CHECKOUT / folder).rglob("*.py"))]
    return {str(path.relative_to(CHECKOUT)): path.read_text("utf-8") for path in paths}


# -- classes -------------------------------------------------------------------------------------


def classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def methods(class_: ast.ClassDef) -> set[str]:
    """The names of a class's methods; a property counts once."""
    return {node.name for node in class_.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _fields(class_: ast.ClassDef) -> set[str]:
    """What is written as ``name: type`` in the body, but for what belongs to the class."""
    return {
        ast.unparse(node.target)
        for node in class_.body
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar")
    }


def attributes(class_: ast.ClassDef) -> set[str]:
    """What an instance holds: its slots, its fields, and what ``__init__`` gives it."""
    found = _fields(class_)
    for node in class_.body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__slots__" for target in node.targets):
            found |= set(ast.literal_eval(node.value))
        elif isinstance(node, ast.FunctionDef) and node.name == "__init__":
            found |= set(_set_on_self(node))
    return found


def _set_on_self(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            yield node.attr


def public_members(class_: ast.ClassDef) -> set[str]:
    """Its public attributes, properties and methods."""
    return {name for name in attributes(class_) | methods(class_) if not name.startswith("_")}


def accesses(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each ``base.name``, the base as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node.value), node.attr
