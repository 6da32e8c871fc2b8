from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

import twistedchat

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(twistedchat.__file__).parent

LAYERS = [
    {"", "errors", "events", "limits", "text"},
    {"names", "verbs"},
    {"formats.base"},
    {"formats.jsonl", "formats.plain"},
    {"stores.base"},
    {"recent", "stores.memory", "stores.sqlite", "stores.sqlite_file", "stores.sqlite_log", "stores.stamp", "stores"},
    {"fanout", "room"},
    {"pipeline"},
    {"hub"},
    {"session"},
    {"commands"},
    {f"protocols.{name}" for name in ["dialect", "factory", "jsonl", "line", "plain", "request", "telnet", "wire"]},
    {"options"},
    {"service"},
]
"""Every module, below those that import it. Within a layer a module imports what stands in the same folder only."""

PURE = {
    "commands",
    "errors",
    "events",
    "formats.base",
    "formats.jsonl",
    "formats.plain",
    "limits",
    "names",
    "protocols.request",
    "protocols.telnet",
    "recent",
    "room",
    "stores.base",
    "stores.memory",
    "stores.stamp",
    "text",
    "verbs",
}
"""Those that know neither Twisted nor a clock, a socket or randomness."""

IMPURE = {
    "twisted",
    "zope",
    "time",
    "socket",
    "select",
    "ssl",
    "random",
    "secrets",
    "uuid",
    "os",
    "threading",
    "asyncio",
}
CLOCKS = {"now", "today", "utcnow"}
REACTOR = "twisted.internet.reactor"
CLIENT_MAY_KNOW = {"", "errors", "events", "formats", "names", "text"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the package, by its name without the package's."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(path.read_text("utf-8"))


def at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a tree but what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from at_run_time(node)


def imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The names of what is imported, in full."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(name: str, known: set[str]) -> str | None:
    """The module of ours that an import is of, or None for anything else."""
    if name.split(".", maxsplit=1)[0] != "twistedchat":
        return None
    inner = name.removeprefix("twistedchat").removeprefix(".")
    return inner if inner in known else inner.rpartition(".")[0]


class LayersTests(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.modules = dict(modules())
        self.server = {name: tree for name, tree in self.modules.items() if name.split(".")[0] != "client"}

    def test_every_module_has_its_place(self) -> None:
        """No module is left out of the picture, and none is in it that is not there."""
        placed = set().union(*LAYERS)
        there = {name for name in self.server if name not in ("formats", "protocols")}
        self.assertEqual(there, placed)

    def test_one_direction(self) -> None:
        """Every module stands above all that it imports when the program runs."""
        place = {name: number for number, layer in enumerate(LAYERS) for name in layer}
        for name, tree in self.server.items():
            for imported in imports(at_run_time(tree)):
                below = own(imported, set(self.modules))
                if below is not None and name in place:
                    together = place[below] == place[name] and below.split(".")[0] == name.split(".")[0]
                    self.assertTrue(together or place[below] < place[name], f"{name} imports {below}")

    def test_pure(self) -> None:
        """Pure modules import neither Twisted nor a clock, a socket or randomness, and look at no clock."""
        for name in PURE:
            nodes = list(at_run_time(self.modules[name]))
            for imported in imports(iter(nodes)):
                self.assertNotIn(imported.split(".")[0], IMPURE, name)
            calls = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            self.assertEqual(calls & CLOCKS, set(), name)

    def test_reactor(self) -> None:
        """Only the service and the client's entry pick a reactor."""
        picking = {name for name, tree in self.modules.items() if REACTOR in imports(ast.walk(tree))}
        self.assertLessEqual(picking, {"service", "client.__main__", "client.life"})
        self.assertIn("service", picking)

    def test_client(self) -> None:
        """The client knows of the server only what both must agree on."""
        for name, tree in self.modules.items():
            if name.split(".")[0] == "client":
                for imported in imports(at_run_time(tree)):
                    known = own(imported, set(self.modules))
                    if known is not None and known.split(".")[0] != "client":
                        self.assertIn(known.split(".")[0], CLIENT_MAY_KNOW, name)
