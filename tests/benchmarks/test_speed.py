"""The table of what is wanted of the IRC door."""

from __future__ import annotations

from benchmarks.measures.crowd import CROWD
from benchmarks.measures.fanout import FANOUT
from benchmarks.measures.rooms import ROOMS
from benchmarks.results import Row
from benchmarks.servers import SERVERS
from benchmarks.speed import TARGETS, table


def _fanout(server: str, deliveries: float, **more: float) -> Row:
    lines = deliveries / 1000
    figures = {"offered_lines_per_second": lines, "lines_per_second": lines, "deliveries_per_second": deliveries}
    return Row("fanout", server, {"members": 1000, "offered lines/s": lines}, {**figures, "p99_ms": 50.0, **more})


def _line(rows: list[Row], work: str) -> list[str]:
    (line,) = (line for line in table(rows).splitlines() if line.startswith(f"| {work}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_better_of_two_is_compared_with() -> None:
    """The most that came in time of each."""
    others = [_fanout("inspircd", 1e6), _fanout("ngircd", 2e6), _fanout("ngircd", 3e6, p99_ms=200)]
    rows = [_fanout("chatroom-irc", 8e6), _fanout("chatroom-irc", 1.2e7), *others]
    assert _line(rows, "one room of 1,000, no tags")[1:] == ["12,000,000", "ngircd: 2,000,000", "6.00", "≥ 5", "yes"]
    assert _line(rows[:1] + others, "one room of 1,000, no tags")[-1] == "no"
    assert _line(rows, "one room of 1,000, all tags")[-1] == "not measured"


def test_wrong_lines_are_no_speed() -> None:
    """However fast: a doubled line is not what was wanted."""
    rows = [_fanout("chatroom-irc", 1.2e7, doubled=3), _fanout("ngircd", 2e6)]
    assert _line(rows, "one room of 1,000, no tags")[-1] == "no: doubled 3"


def test_less_is_better_where_it_is_time_or_memory() -> None:
    """As long as InspIRCd is allowed, longer is not."""
    setting = {"people": 10_000, "rooms": 100}

    def rows(seconds: float) -> list[Row]:
        ours = Row("crowd", "chatroom-irc", dict(setting), {"seconds": seconds, "bytes_per_member": 4800.0})
        return [ours, Row("crowd", "inspircd", dict(setting), {"seconds": 6.0, "bytes_per_member": 3000.0})]

    assert _line(rows(6.0), "10,000 into 100 rooms, no tags")[1:] == ["6.00", "inspircd: 6.00", "1.00", "≤ 1", "yes"]
    assert _line(rows(6.1), "10,000 into 100 rooms, no tags")[-1] == "no"
    assert _line(rows(6.0), "an idle client in one room, no tags")[1:] == ["4,800", "", "", "≤ 5,000", "yes"]


def test_what_is_wanted_is_measured() -> None:
    """Its servers, measures and figures are there."""
    for target in TARGETS:
        assert {target.ours, *target.beside} <= set(SERVERS)
        (measure,) = (each for each in (FANOUT, ROOMS, CROWD) if each.name == target.measure)
        assert target.figure in {column.figure for column in measure.columns}
