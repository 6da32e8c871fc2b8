"""Operators of the server: a file of names and hashed passwords, and whether a password is right.

Knows the file and argon2, which is loaded with it. Must not know sessions, nor what an operator may do.
"""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from twistedchat.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IReactorTime

    Run = Callable[..., Deferred[Any]]
    """Calls a function in a thread: `twisted.internet.threads.deferToThread`."""

__all__ = ["MAX_WAITING", "MAX_WRONG", "OperatorsError", "OperatorsFile", "hash_line"]

MAX_WRONG = 5
"""Most wrong passwords of one connection in a minute. Source: docs/protocol.md, "Limits"."""

MAX_WAITING = 10
"""Most passwords that wait to be checked, one after the other. Source: each takes 50 ms of a core and 64 MiB."""

_MINUTE_SECONDS = 60.0
"""Time after which a wrong password does not count any more, in seconds. Source: as `MAX_WRONG`."""

_HASHED = "$"
"""How a hash begins. Source: the PHC string format, which argon2 writes."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class OperatorsError(Exception):
    """The file can't be used; the text is a sentence for whoever starts the daemon."""


class OperatorsFile:
    """The operators that a file lists, ``name:hash``, as ``chatroom-admin hash`` prints it, or ``name password``.

    It is read again when it has changed, so nobody need start the daemon again.

    Args:
        path: The file's.
        clock: For the limit.
        run: Runs what takes long in a thread.

    Raises:
        OperatorsError: The file can't be read, others may read it, or a line is wrong; or argon2 is not installed.
    """

    __slots__ = ("_clock", "_log", "_path", "_run", "_secrets", "_turn", "_version", "_waiting", "_wrong")

    def __init__(self, path: str, clock: IReactorTime, run: Run) -> None:
        # The daemon may change its folder.
        self._path = Path(path).absolute()
        self._clock = clock
        self._run = run
        self._turn = DeferredLock()
        self._waiting = 0
        self._wrong: dict[object, list[float]] = {}
        self._log = Logger()
        self._version: object = None
        self._secrets: Mapping[str, str] = {}
        self._read()

    async def check(self, who: object, name: str, password: str) -> None:
        """Return if this is the password of an operator.

        Args:
            who: Whoever asks, for the limit.
            name: The operator's, as it stands in the file.
            password: What was given.

        Raises:
            ChatError: ``wrong-password``, also if there is no such name; ``try-later``.
        """
        self._check_limits(who)
        self._waiting += 1
        outcome: Deferred[bool] = Deferred()
        # Not cancelled with whoever asks: the thread is busy until it is done.
        checking = Deferred.fromCoroutine(self._check_in_turn(name, password))
        checking.addBoth(lambda result: None if outcome.called else outcome.callback(result))
        if not await outcome:
            self._wrong.setdefault(who, []).append(self._clock.seconds())
            raise ChatError("wrong-password", "That is not the name and the password of an operator.")

    def _check_limits(self, who: object) -> None:
        since = self._clock.seconds() - _MINUTE_SECONDS
        self._wrong = {each: times for each, times in self._wrong.items() if times[-1] > since}
        wrong = [time for time in self._wrong.get(who, ()) if time > since]
        if len(wrong) >= MAX_WRONG:
            raise ChatError("try-later", f"{MAX_WRONG} passwords were wrong: try again in a minute.")
        if self._waiting >= MAX_WAITING:
            raise ChatError("try-later", "Too many passwords are being checked: try again in a moment.")

    async def _check_in_turn(self, name: str, password: str) -> bool:
        await self._turn.acquire()
        try:
            return bool(await self._run(self._is_right, name, password))
        except Exception:
            self._log.failure("A password could not be checked")
            return False
        finally:
            self._waiting -= 1
            self._turn.release()

    # -- in a thread, one call at a time ---------------------------------------------------------

    def _is_right(self, name: str, password: str) -> bool:
        try:
            self._read()
        except OperatorsError as error:
            self._log.error("{error} Until that is mended the operators are those of before.", error=error)
        known = self._secrets.get(name)
        # For a name that is not there something is checked too: the time does not tell which names there are.
        is_right = _fits(known or next(iter(self._secrets.values()), ""), password)
        return is_right and known is not None

    def _read(self) -> None:
        """Read the file, if it is another one than before."""
        try:
            with self._path.open(encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                if status.st_mode & _OTHERS:
                    raise OperatorsError(f"Others may read {self._path}: chmod 600 {self._path}")
                version = (status.st_ino, status.st_mtime_ns, status.st_size)
                if version != self._version:
                    self._secrets = _parsed(file.read(), self._path)
                    self._version = version
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise OperatorsError(f"{self._path} can't be read: {reason}.") from error


def _fits(secret: str, password: str) -> bool:
    """Whether a password is the one of the file, which stands there hashed or as it is."""
    if secret[:1] != _HASHED:
        return bool(secret) and hmac.compare_digest(secret.removeprefix(" ").encode(), password.encode())
    from argon2 import PasswordHasher  # noqa: PLC0415  an extra
    from argon2.exceptions import VerificationError  # noqa: PLC0415  the same

    try:
        PasswordHasher().verify(secret, password)
    except (VerificationError, ValueError):
        return False
    return True


def _parsed(text: str, path: Path) -> Mapping[str, str]:
    """The lines of the file: names, and their passwords with a space before them, or the hashes of them."""
    secrets: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, *password = line.strip().split(None, 1)
        if password:
            secrets[name] = f" {password[0]}"
            continue
        name, _, hashed = name.partition(":")
        if not _is_hash(hashed):
            raise OperatorsError(
                f"Line {number} of {path} is neither name:hash, as chatroom-admin hash prints it, nor name password."
            )
        secrets[name] = hashed
    return secrets


def _is_hash(text: str) -> bool:
    try:
        from argon2 import extract_parameters  # noqa: PLC0415  an extra
        from argon2.exceptions import InvalidHashError  # noqa: PLC0415  the same
    except ImportError as error:
        raise OperatorsError("A hashed password needs argon2: pip install 'twistedchat[oper]'") from error
    try:
        extract_parameters(text)
    except InvalidHashError:
        return False
    return True


def hash_line(name: str, password: str) -> str:
    """A line for the file.

    Raises:
        OperatorsError: The name can't stand there, or argon2 is not installed.
    """
    try:
        from argon2 import PasswordHasher  # noqa: PLC0415  an extra
    except ImportError as error:
        raise OperatorsError("This needs argon2: pip install 'twistedchat[oper]'") from error
    if not name or name[0] == "#" or ":" in name or len(name.split()) != 1 or not name.isprintable():
        raise OperatorsError("A name is one word without a colon, and does not begin with #.")
    return f"{name}:{PasswordHasher().hash(password)}"
