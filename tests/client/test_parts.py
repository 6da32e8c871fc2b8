"""The client's small pure parts: lines, addresses, options."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.testing import MemoryReactorClock

from twistedchat.client.address import Address, addresses, trouble
from twistedchat.client.completions import SHELLS
from twistedchat.client.lines import LineCutter, pieces
from twistedchat.client.options import parse_options
from twistedchat.client.state import State
from twistedchat.errors import ChatError
from twistedchat.events import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from pathlib import Path


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20)), st.booleans())
def test_any_cutting_gives_the_same_lines(chunks: list[bytes], with_end: bool) -> None:
    """However the bytes arrive, the lines are the same."""
    data = b"".join(chunks) + (b"\n" if with_end else b"")
    whole, cut = LineCutter(), LineCutter()
    at_once = whole.feed(data) + whole.end()
    by_chunk = [line for chunk in [*chunks, b"\n" if with_end else b""] for line in cut.feed(chunk)] + cut.end()
    assert at_once == by_chunk
    assert all(at_once)


@settings(deadline=None)
@given(st.text(), st.integers(4, 12))
def test_pieces_fit_and_are_the_text(text: str, limit: int) -> None:
    """A long text is cut into pieces that can be said, and nothing of it is lost."""
    text = text.encode(errors="replace").decode()
    found = pieces(text, limit)
    assert "".join(found) == text
    assert all(0 < len(piece.encode()) <= limit for piece in found)


def test_an_endless_line_is_bounded() -> None:
    """A line without end is said in pieces as it comes, no character cut in two."""
    cutter = LineCutter()
    found = [line for _ in range(100) for line in cutter.feed("日本語".encode() * 100)] + cutter.end()
    assert "".join(found) == "日本語" * 10_000
    assert all(len(line.encode()) <= MAX_TEXT_BYTES for line in found)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost", "localhost", 6622),
        ("localhost:7000", "localhost", 7000),
        ("[::1]:7000", "::1", 7000),
        ("[::1]", "::1", 6622),
        ("::1", "::1", 6622),
        ("10.0.0.1:1", "10.0.0.1", 1),
        ("unix:/run/chat.sock", None, 6622),
        ("tcp:example.org:7000", None, 6622),
        ("tls:example.org:6697", None, 6622),
    ],
)
def test_addresses(text: str, host: str | None, port: int) -> None:
    """What a person writes as an address is understood, and is a way to connect."""
    address = Address.parse(text)
    assert (address.host, address.port, address.text) == (host, port, text)
    address.endpoint(MemoryReactorClock())


@pytest.mark.parametrize("text", ["", "localhost:0", "localhost:70000", "a b", "/run/chat.sock"])
def test_no_addresses(text: str) -> None:
    """What is none is said to be none."""
    with pytest.raises(ValueError, match=r"port|address"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("texts", "where"),
    [
        (["a"], [("a", 6622)]),
        (["a", "b:7000"], [("a", 6622), ("b", 7000)]),
        (["a", "7000"], [("a", 7000)]),
        (["::1", "7000"], [("::1", 7000)]),
        (["a", "b", "7000"], [("a", 6622), ("b", 6622), ("7000", 6622)]),
    ],
)
def test_several_addresses(texts: list[str], where: list[tuple[str, int]]) -> None:
    """Several addresses are several servers; a host and a bare number are what telnet means by them."""
    assert [(address.host, address.port) for address in addresses(texts)] == where


def test_no_address_at_all() -> None:
    """There must be one."""
    with pytest.raises(ValueError, match="at least one"):
        addresses([])


def test_a_wrong_endpoint() -> None:
    """A mistake in an endpoint string is told when it is used."""
    with pytest.raises(ValueError, match="nonsense:1:2"):
        Address.parse("nonsense:1:2").endpoint(MemoryReactorClock())


def test_own_name() -> None:
    """Without --name it is one's name on the machine, as far as it can be one."""
    options = parse_options([], {"USER": "Jo Doe+x"})
    assert (options.name, options.name_given) == ("JoDoex", False)
    assert parse_options(["--name", "bot"], {"USER": "jo"}).name == "bot"
    assert parse_options([], {"USER": "\N{SNOWMAN}"}).name == "guest"


@pytest.mark.parametrize("arguments", [["--wait", "x"], ["--wait", "-1"], ["--foo"], ["localhost:99999"], ["a", "b c"]])
def test_wrong_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option is one line on stderr, and status 2."""
    with pytest.raises(SystemExit) as caught:
        parse_options(arguments, {})
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("chatroom: ")
    assert error.count("\n") == 1


def test_defaults(tmp_path: Path) -> None:
    """The command line weighs more than the environment, and that more than the configuration file."""
    (tmp_path / "twistedchat").mkdir()
    file = tmp_path / "twistedchat" / "client.toml"
    file.write_text('server = "one"\nname = "file"\nroom = ["a", "b"]\nbell = true\n')
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "CHATROOM_SERVER": "two"}
    options = parse_options([], environ)
    assert (options.addresses[0].host, options.name, options.rooms) == ("two", "file", ["a", "b"])
    assert options.name_given
    assert options.settings == {"bell": True}
    given = parse_options(["three", "--room", "c"], environ | {"CHATROOM_NAME": "env"})
    assert (given.addresses[0].host, given.name, given.rooms) == ("three", "env", ["c"])


def test_several_servers(tmp_path: Path) -> None:
    """Several servers can be given in each place where one can."""
    (tmp_path / "twistedchat").mkdir()
    (tmp_path / "twistedchat" / "client.toml").write_text('server = ["one", "two:7000"]\n')
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    for options in (
        parse_options([], environ),
        parse_options([], environ | {"CHATROOM_SERVER": "one  two:7000"}),
        parse_options(["one", "two:7000"], environ | {"CHATROOM_SERVER": "three"}),
    ):
        assert [address.text for address in options.addresses] == ["one", "two:7000"]


@pytest.mark.parametrize("text", ["nme = 'x'", "tls = 'yes'", "= ="])
def test_a_wrong_configuration(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in the configuration file is told, with the file's name."""
    (tmp_path / "twistedchat").mkdir()
    (tmp_path / "twistedchat" / "client.toml").write_text(text)
    with pytest.raises(SystemExit):
        parse_options([], {"XDG_CONFIG_HOME": str(tmp_path)})
    assert "client.toml" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_completions(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each shell's script knows every option, and is one that the shell understands."""
    with pytest.raises(SystemExit) as caught:
        parse_options(["--completion", shell], {})
    assert not caught.value.code
    script = capsys.readouterr().out
    for option in ("name", "room", "state", "no-history"):
        assert option in script
    found = shutil.which(shell)
    if found:
        subprocess.run([found, "-n"], input=script.encode(), check=True)


def test_state_is_kept(tmp_path: Path) -> None:
    """What was seen is there the next time, for each server by itself."""
    state = State(tmp_path / "state", ["here"])
    assert state.last("lobby") is None
    state.saw("lobby", 7)
    state.save()
    assert State(tmp_path / "state", ["here"]).last("lobby") == 7
    assert State(tmp_path / "state", ["there"]).last("lobby") is None


def test_state_of_several_servers(tmp_path: Path) -> None:
    """Where several servers share their rooms, it does not matter which of them was asked for the last time."""
    for servers, seq in ((["a"], 7), (["b"], 9), (["b", "a"], 8)):
        state = State(tmp_path / "state", servers)
        if len(servers) == 2:
            assert state.last("lobby") == 9
        state.saw("lobby", seq)
        state.save()
    assert State(tmp_path / "state", ["a"]).last("lobby") == 8


def test_state_in_any_case(tmp_path: Path) -> None:
    """A room that is asked for in another case is known."""
    state = State(tmp_path / "state", ["here"])
    state.saw("Lobby", 7)
    assert state.last("lobby") == 7


def test_state_that_can_not_be_kept(tmp_path: Path) -> None:
    """A file that is something else, or can't be written, is an error with a sentence."""
    (tmp_path / "other").write_text("[1, 2]")
    with pytest.raises(ChatError, match="no state"):
        State(tmp_path / "other", ["here"])
    state = State(tmp_path / "no" / "folder", ["here"])
    state.saw("lobby", 1)
    with pytest.raises(ChatError, match="can't be written"):
        state.save()


def test_a_certificate_that_is_not_trusted() -> None:
    """A person is told so in a sentence, without the words of a library."""
    unknown = TLSError([("SSL routines", "", "certificate verify failed")])
    told = trouble("here:6697", unknown)
    assert told.startswith("The certificate of here:6697 can't be trusted")
    assert "no authority that this machine knows" in told
    assert told.isprintable()
    assert not set("[]()_") & set(told)
    assert trouble("here:6697", VerificationError([])) == "The certificate of here:6697 is another host's."
    assert "does not speak TLS" in trouble("here:6697", TLSError([("SSL routines", "", "wrong version number")]))
