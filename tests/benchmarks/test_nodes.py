"""The tools that measure several servers."""

from __future__ import annotations

import socket

from benchmarks.dialects import Plain
from benchmarks.load.crowd import Crowd, Seat
from benchmarks.load.ears import Reader
from benchmarks.load.jobs import Arrivals, FanOut, read_job, write_job
from benchmarks.processes import Usage
from benchmarks.traffic import Traffic, read

LINES = """\
0 0 127.0.0.1:40001 127.0.0.1:5 users:(("a",pid=71,fd=9)) bytes_sent:100 bytes_received:2000 data_segs_in:40
0 0 127.0.0.1:40002 127.0.0.1:5 users:(("a",pid=71,fd=8)) bytes_sent:10 segs_out:9 data_segs_out:1
0 0 127.0.0.1:40003 127.0.0.1:5 users:(("a",pid=710,fd=9)) bytes_sent:7 bytes_received:7 data_segs_out:7
"""


def test_traffic_is_that_of_one_process() -> None:
    """What its connections carried is summed up; what one has not counted yet is 0."""
    found = read(LINES.splitlines(), 71)
    assert found == Traffic(2000, 40, 110, 1, frozenset({40001, 40002}))
    assert found.since(Traffic(500, 10, 10, 1)) == Traffic(1500, 30, 100, 0, frozenset({40001, 40002}))


def test_a_job_reaches_all_servers() -> None:
    """Their ports and processes survive the way to the load generator; one server alone is as before."""
    job = Arrivals(1, "json", 11, other_ports=(2, 3), other_pids=(12, 13), engine_pid=9)
    assert read_job(write_job(job)) == job
    assert (job.ports, job.pids) == ((1, 2, 3), (11, 12, 13))
    assert (FanOut(1, "plain").ports, FanOut(1, "plain").pids) == ((1,), ())


def test_people_go_to_all_servers_in_turn() -> None:
    """Of two servers each gets every other person."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        ports = [listening.getsockname()[1] for listening in (first, second)]
        crowd = Crowd(ports, (Plain(),))
        seats = [crowd._connect(f"m{number}", "lobby", lambda _: None) for number in range(4)]  # noqa: SLF001
        assert [seat.sock.getpeername()[1] for seat in seats] == ports * 2
        crowd.close()


def test_the_longest_gap_lies_between_two_arrivals() -> None:
    """What came before the moment that is asked about does not count."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        seat = object.__new__(Seat)
        seat.sock = theirs
        reader = Reader(seat)
        reader._arrivals = [(1.0, 1), (5.0, 2), (5.5, 3), (7.0, 4)]  # noqa: SLF001
        assert (reader.longest_gap(0), reader.longest_gap(5.0), reader.longest_gap(8.0)) == (4.0, 1.5, 0.0)


def test_the_database_is_told_apart() -> None:
    """Its processor time is neither the servers' nor others'."""
    shares = Usage(2.0, server=1.0, own=0.5, machine=3.0, engine=0.5).shares()
    assert shares == {
        "server_core_percent": 50,
        "engine_core_percent": 25,
        "generator_core_percent": 25,
        "others_core_percent": 50,
    }
