from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from psycopg import pq
from twisted.trial.unittest import SynchronousTestCase
from typing_extensions import override

from twistedchat.postgres.address import Host, parse
from twistedchat.stores.base import StoreError


def values(url: str, number: int = 0) -> dict[str, str]:
    address = parse(url)
    options = pq.Conninfo.parse(address.conninfo(address.hosts[number]))
    return {option.keyword.decode(): option.val.decode() for option in options if option.val}


class AddressTests(SynchronousTestCase):
    """Where the database is."""

    @override
    def setUp(self) -> None:
        for name in [name for name in os.environ if name.startswith("PG")]:
            self.addCleanup(os.environ.__setitem__, name, os.environ.pop(name))

    def test_hosts(self) -> None:
        """Each host has a port of its own, the ones that are not given being 5432."""
        assert parse("postgresql://chat@a/chat").hosts == (Host("a", "", "5432"),)
        assert parse("postgresql://chat@a:1,b:2,c/chat").hosts == (
            Host("a", "", "1"),
            Host("b", "", "2"),
            Host("c", "", "5432"),
        )
        assert parse("host=a,b port=7").hosts == (Host("a", "", "7"), Host("b", "", "7"))
        assert parse("host=a,b hostaddr=10.0.0.1,10.0.0.2").hosts[1] == Host("b", "10.0.0.2", "5432")
        assert parse("hostaddr=10.0.0.1,10.0.0.2").hosts[1] == Host("", "10.0.0.2", "5432")

    def test_lookups(self) -> None:
        """Only names are looked up."""
        lookups = {
            "db.example": True,
            "127.0.0.1": False,
            "::1": False,
            "fe80::1%eth0": False,
            "/run/postgresql": False,
        }
        for name, needs in lookups.items():
            assert Host(name, "", "5432").needs_lookup is needs
        assert not Host("", "", "5432").needs_lookup
        assert not Host("db.example", "10.0.0.1", "5432").needs_lookup

    def test_one_host_at_a_time(self) -> None:
        """Libpq gets one host, all else as the operator has written it, and what we know of the name."""
        url = "postgresql://ch%27at:hush%20%5C@a:1,b:2/chat?target_session_attrs=read-write&sslmode=require"
        found = values(url, 1)
        assert (found["host"], found["port"], found["user"], found["password"]) == ("b", "2", "ch'at", "hush \\")
        assert (found["dbname"], found["target_session_attrs"], found["sslmode"]) == ("chat", "read-write", "require")
        assert "hostaddr" not in found
        address = parse(url)
        assert b"hostaddr='10.0.0.9'" in address.conninfo(address.hosts[0], "10.0.0.9")

    def test_the_operator_has_the_last_word(self) -> None:
        """Keepalives and the server's settings can be chosen, the encoding can't."""
        found = values("host=a keepalives_idle=60 client_encoding=LATIN1 options='-c statement_timeout=9'")
        assert (found["keepalives_idle"], found["client_encoding"]) == ("60", "UTF8")
        assert found["options"].endswith("-c jit=off -c statement_timeout=9")
        assert values("host=a")["keepalives_idle"] == "2"

    def test_a_service(self) -> None:
        """What stands in a service's entry counts, and what stands in the address counts more."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "services")
            file.write_text("[talk]\nhost=a,b\nport=1,2\ndbname=chat\nuser=somebody\n")
            os.environ["PGSERVICEFILE"] = str(file)
            self.addCleanup(os.environ.pop, "PGSERVICEFILE")
            assert parse("service=talk").hosts == (Host("a", "", "1"), Host("b", "", "2"))
            assert values("postgresql:///?service=talk&user=chat")["user"] == "chat"
            assert "PGSERVICE" not in os.environ
            with pytest.raises(StoreError, match="service 'walk' is not found"):
                parse("service=walk")

    def test_no_password_in_sentences(self) -> None:
        """The address in words, and the refusal of one that is wrong, hold no part of the password."""
        assert str(parse("postgresql://chat:secret@a:1,b:2/talk")) == "database talk at a:1, b:2"
        assert parse("postgresql://chat:secret@a/talk").hidden("it was secret.") == "it was ***."
        assert parse("postgresql://chat@a/talk").hidden("it was secret.") == "it was secret."
        for url in (
            "postgresql://chat:sec@ret@a/talk",
            "postgresql://chat:sec/ret@a/talk",
            "postgresql://chat:sec%zzret@a/talk",
            "postgresql://chat:sec#ret@a:b/talk",
            "host=a password='sec ret",
            "host=a port=sec",
            "sec ret",
        ):
            with pytest.raises(StoreError) as raised:
                parse(url)
            assert "sec" not in str(raised.value)
            assert "ret" not in str(raised.value)
