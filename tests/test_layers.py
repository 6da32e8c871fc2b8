"""The house keeps its order: what imports what, who reaches into whom, how large things are."""

from __future__ import annotations

import ast
import builtins

from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from tests.house import accesses, attributes, classes, modules, own, public_members, source_files

HOUSE = """
errors events limits masks memory text mentions turns
names profiles tags verbs
records
rooms rooms.charter
rules
formats formats.base
formats.jsonl formats.plain
stores.base
stores.sqlite_schema stores.sqlite_sql stores.sqlite_lock stores.stamp
stores.memory stores.sqlite_file
stores.sqlite_reader
stores.sqlite_log
stores.sqlite
postgres postgres.errors postgres.wire
postgres.address postgres.connection
postgres.dialer postgres.schema
postgres.check postgres.link
postgres.database postgres.codec
postgres.batch
stores.postgres
stores
appender operators reading
people people.password people.watching
people.home
people.base
people.faces
people.rulebook
people.local people.changes people.asking people.moves
people.absent people.rosters people.tells people.beat
people.joint
people.shared
writer
rooms.steps
rooms.tail rooms.audience
rooms.ring
rooms.presence
rooms.room
rooms.announce rooms.catchup rooms.listing rooms.live rooms.rulings rooms.signals
feed
hub
onlooker
directory
speaker
ruler
overseer
visitor
session
comeback
doors doors.telnet doors.channel doors.wire
doors.settings
doors.stream
doors.request doors.farewells doors.first_line doors.lists doors.display doors.timeofday
doors.json_outlet
doors.words
doors.plain doors.jsonl
irc irc.shown irc.errors irc.stretch
irc.message irc.pieces irc.selectors
irc.lines irc.said irc.multiline
irc.format
irc.steps
irc.retold
irc.missed irc.caps irc.support irc.newcomer irc.answers irc.replay irc.commands irc.watched irc.arrivals irc.waiting
irc.outlet irc.pulse irc.welcome irc.monitor irc.history
irc.entering irc.talk irc.batches
irc.returning irc.asking irc.ranks irc.opers
irc.registration
irc.oneself
irc.table
irc.door
doors.port
health options
service
admin
admin.rows
admin.sqlite_log admin.postgres_log
admin.move
admin.__main__
"""
"""The server from the ground up: a module stands above all that it imports, so nothing beside it, and no circle."""

CLIENT = """
client.address client.completions client.lines client.state client.times
client.settings client.stdio
client.messages client.options
client.notifications client.requests
client.joined_rooms client.outbox client.plain_lines client.transcript client.view
client.conversation client.paint client.pipe_output
client.connection client.frame client.history client.panel client.pipe
client.chat client.commands
client client.controller
client.completion client.panels client.terminal
client.status
client.screen_keys
client.screen
client.lifecycle
client.__main__
"""
"""The same for the client, which stands on the ground that it shares with the server."""

UPWARD_FOR_TYPES = {
    (f"irc.{module}", "irc.door"): "a command is a function over a door, whose table has them all"
    for module in (
        "asking",
        "batches",
        "commands",
        "entering",
        "history",
        "monitor",
        "oneself",
        "opers",
        "pulse",
        "ranks",
        "registration",
        "returning",
        "talk",
        "welcome",
    )
}
"""The imports for type checkers that go up, and why."""

PURE = """
errors events limits masks text mentions names profiles records rules tags verbs formats.base formats.jsonl
formats.plain
stores.base stores.stamp stores.memory stores.sqlite_sql
admin.rows
rooms.charter rooms.steps rooms.tail rooms.audience rooms.ring rooms.presence rooms.room rooms.rulings rooms.listing
people.password
postgres.errors postgres.codec postgres.batch
doors.first_line doors.telnet doors.request doors.lists doors.timeofday
irc.errors irc.format irc.steps irc.lines irc.message irc.missed irc.pieces irc.retold irc.said irc.shown irc.stretch
irc.caps irc.support irc.newcomer irc.replay irc.watched
"""
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

CLIENT_MAY_KNOW = {"", "errors", "events", "formats", "mentions", "names", "text", "verbs"}
"""What the server and the client must agree on."""

CORE = {
    "irc.format": "a format, as those in formats/: it cuts a connection's own version out of a page",
    "feed": "takes events into rooms and has them shown",
    "session": "the gate: it alone knows which members are a person's",
    "onlooker": "the reading half of the gate: who is in a room, and what was said there",
    "directory": "the gate's half that asks for people: their ranks",
    "visitor": "the gate's half for rooms: it makes the members",
    "ruler": "the gate's ruling half: whose room it is",
    "hub": "wires the rooms, and forgets them",
    "speaker": "the gate's speaking half: a line goes into the queue of its room",
    "people.base": "its Person has a name, as a Member has",
    "people.local": "the same",
    "people.joint": "the same",
    "people.shared": "the same",
    "people.absent": "the same",
}
"""Besides rooms/ and formats/: who may touch a Room, a Member or a Page, and why."""

PAGE_FOR_OUTLETS = {"data", "date", "first_day", "last_day"}
"""What an outlet uses of a page: the bytes that all share."""

INNER = {("rooms.room", "Room"), ("rooms.audience", "Member"), ("formats.base", "Page")}

REACHES_IN = {
    ("doors.plain", "lines"): "cuts a page of history from its newest end, by the size of its lines",
}
"""Known to be against the rule, until it is mended."""

PUBLIC_IN_FACT = {"_replace", "_asdict", "_fields"}
"""What every named tuple has."""

PRIVATE_OF_OTHERS = {
    ("client.completions", "parser._actions"): "argparse has no other way to list its options",
    ("service", "os._exit"): "Python's own name for ending at once",
}
"""Private names of others that are used, and why."""

DOORS_USE_OF_HUB = {"people.host_of", "turns", "wall", "writer", "store.identity"}
"""What a door uses of the hub besides making its session."""

MAX_ATTRIBUTES = 12
MAX_LINES = 400

WIDE = {
    "benchmarks/load/jobs.py FanOut": "a record of what is measured, one field for each choice",
}
"""Classes that hold more than `MAX_ATTRIBUTES`."""

LONG: dict[str, str] = {}
"""Files of more than `MAX_LINES`."""


def ranks(house: str) -> dict[str, int]:
    return {name: number for number, line in enumerate(house.strip().splitlines()) for name in line.split()}


class HouseTestCase(SynchronousTestCase):
    @override
    def setUp(self) -> None:
        self.modules = modules()
        ground = ranks(HOUSE)
        above = max(ground.values()) + 1
        self.rank = {"": -1} | ground | {name: rank + above for name, rank in ranks(CLIENT).items()}


class OrderTests(HouseTestCase):
    def test_every_module_has_its_place(self) -> None:
        """No module is left out of the picture, none is in it that is not there, and none stands in two places."""
        placed = (HOUSE + CLIENT).split()
        self.assertEqual(sorted(placed), sorted(name for name in self.modules if name))

    def test_one_direction(self) -> None:
        """Every module stands above all that it imports when the program runs: so there is no circle."""
        for name, module in self.modules.items():
            for below in own(module.imports(for_types=False), self.modules) - {name}:
                self.assertLess(self.rank[below], self.rank[name], f"{name or 'the package'} imports {below}")

    def test_one_direction_for_types(self) -> None:
        """Imports for type checkers are dependencies too; the few that go up each have a reason, and are needed."""
        upward = {
            (name, above)
            for name, module in self.modules.items()
            for above in own(module.imports(for_types=True), self.modules) - {name}
            if self.rank[above] >= self.rank[name]
        }
        self.assertEqual(upward, set(UPWARD_FOR_TYPES))

    def test_client(self) -> None:
        """The client knows of the server only what both must agree on, and the server nothing of the client."""
        for name, module in self.modules.items():
            both = own(module.imports(for_types=False) | module.imports(for_types=True), self.modules)
            for folder in {known.partition(".")[0] for known in both}:
                if module.folder == "client":
                    self.assertIn(folder, CLIENT_MAY_KNOW | {"client"}, name)
                else:
                    self.assertNotEqual(folder, "client", name)

    def test_pure(self) -> None:
        """Pure modules import neither Twisted nor a clock, a socket or randomness, and look at no clock."""
        for name in PURE.split():
            module = self.modules[name]
            for imported in module.imports(for_types=False):
                self.assertNotIn(imported.split(".")[0], IMPURE, name)
            calls = {node.attr for node in module.at_run_time() if isinstance(node, ast.Attribute)}
            self.assertEqual(calls & CLOCKS, set(), name)

    def test_pure_stands_on_pure(self) -> None:
        """What a pure module imports of ours is pure too."""
        for name in PURE.split():
            below = own(self.modules[name].imports(for_types=False), self.modules) - {name}
            self.assertLessEqual(below, {"", *PURE.split()}, name)

    def test_reactor(self) -> None:
        """Only the service and the client's entry pick a reactor."""
        picking = {
            name
            for name, module in self.modules.items()
            if REACTOR in module.imports(for_types=False) | module.imports(for_types=True)
        }
        self.assertLessEqual(picking, {"service", "client.__main__", "client.lifecycle"})
        self.assertIn("service", picking)


class ReachingInTests(HouseTestCase):
    def test_private_names(self) -> None:
        """A private name is used by its own class alone."""
        for name, module in self.modules.items():
            for base, attribute in accesses(module.tree):
                is_private = attribute.startswith("_") and not attribute.startswith("__")
                if is_private and base not in ("self", "cls") and attribute not in PUBLIC_IN_FACT:
                    self.assertIn((name, f"{base}.{attribute}"), PRIVATE_OF_OTHERS)

    def test_rooms_members_pages(self) -> None:
        """Outside rooms/, formats/ and the core nobody touches a Room, a Member or a Page, but for an outlet's part."""
        found = set()
        for name, module in self.modules.items():
            if module.folder in ("rooms", "formats") or name in CORE:
                continue
            for base, attribute in accesses(module.tree):
                if self.reaches_in(name, base.rpartition(".")[2].lstrip("_"), attribute):
                    found.add((name, attribute))
        self.assertEqual(found, set(REACHES_IN))

    def reaches_in(self, name: str, holder: str, attribute: str) -> bool:
        """Whether this is a Room's, a Member's or a Page's: by the attribute alone if no other class has it."""
        if name.startswith("client."):
            # It has a Room of its own, and may not import the server's.
            return attribute in self.of("Page") - PAGE_FOR_OUTLETS and holder == "page"
        if attribute in self.distinctive:
            return True
        for class_ in ("Room", "Member", "Page"):
            if holder == class_.lower() and attribute in self.of(class_) - self.of_records - PAGE_FOR_OUTLETS:
                return True
        return False

    @override
    def setUp(self) -> None:
        super().setUp()
        self.members = {
            class_.name: public_members(class_)
            for name in ("rooms.room", "rooms.audience", "formats.base")
            for class_ in classes(self.modules[name].tree)
        }
        self.of_records = set[str]().union(*map(public_members, classes(self.modules["records"].tree)))
        inside = self.of("Room") | self.of("Member") | self.of("Page")
        others = {
            member
            for name, module in self.modules.items()
            for class_ in classes(module.tree)
            if (name, class_.name)
            not in {("rooms.room", "Room"), ("rooms.audience", "Member"), ("formats.base", "Page")}
            for member in public_members(class_)
        }
        of_builtins = {member for kind in vars(builtins).values() if isinstance(kind, type) for member in dir(kind)}
        self.distinctive = inside - others - of_builtins - PAGE_FOR_OUTLETS

    def of(self, class_: str) -> set[str]:
        return self.members[class_]

    def test_the_rule_sees_something(self) -> None:
        """The fields that matter are seen wherever they are used."""
        self.assertLessEqual({"cursor", "audience", "is_fetching", "known_names", "by_speaker"}, self.distinctive)

    def test_hub(self) -> None:
        """A door uses of the hub only what is no room and no person."""
        for name, module in self.modules.items():
            if module.folder == "doors":
                used = {f"{base}.{attribute}" for base, attribute in accesses(module.tree)}
                of_hub = {path.partition("hub.")[2] for path in used if "hub." in path}
                longest = {path for path in of_hub if not any(other.startswith(f"{path}.") for other in of_hub)}
                self.assertLessEqual(longest, DOORS_USE_OF_HUB, name)


class SizeTests(SynchronousTestCase):
    def test_classes(self) -> None:
        """No class holds more than a dozen things, tests included; the exceptions are needed."""
        wide = {
            f"{path} {class_.name}"
            for path, text in source_files().items()
            for class_ in classes(ast.parse(text))
            if len(attributes(class_)) > MAX_ATTRIBUTES
        }
        self.assertEqual(wide, set(WIDE))

    def test_files(self) -> None:
        """No file is longer than what one reads in one go, tests included; the exceptions are needed."""
        long = {path for path, text in source_files().items() if text.count("\n") > MAX_LINES}
        self.assertEqual(long, set(LONG))
