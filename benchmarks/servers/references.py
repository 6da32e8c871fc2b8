"""How the reference servers of this suite are run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.servers.base import Missing, Server

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ASYNCIO", "FLOOR_BATCH", "FLOOR_EACH", "THREADS", "TWISTED", "UVLOOP"]

_SUITE = Path(__file__).resolve().parents[2]
_FLOOR = Path(__file__).with_name("reference") / "floor.c"


def _python(module: str, *arguments: str, needs: str = "") -> Callable[[Path, int], list[str]]:
    def command(_folder: Path, port: int) -> list[str]:
        if needs and importlib.util.find_spec(needs) is None:
            raise Missing(f"{needs} is not installed")
        # It runs in a scratch folder, and the suite itself need not be installed.
        path = f"import sys, runpy; sys.path.insert(0, {str(_SUITE)!r}); sys.argv[0] = 'bench'; "
        run = f"runpy.run_module('benchmarks.servers.reference.{module}', run_name='__main__')"
        return [sys.executable, "-c", path + run, str(port), *arguments]

    return command


def _floor(mode: str) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            raise Missing("there is no C compiler")
        program = folder / "floor"
        subprocess.run([compiler, "-O2", "-o", program, _FLOOR], check=True)  # noqa: S603 - our own source
        return [str(program), str(port), mode]

    return command


AT_ONCE = 1000
THREADS = Server("threads", "plain", _python("threads"), AT_ONCE, "a thread for each client")
ASYNCIO = Server("asyncio", "plain", _python("aio"), AT_ONCE, "protocols, not streams")
UVLOOP = Server("uvloop", "plain", _python("aio", "--uvloop", needs="uvloop"), AT_ONCE, "asyncio on uvloop")
TWISTED = Server("twisted", "plain", _python("plain_twisted"), AT_ONCE, "transport.write to each member")
FLOOR_EACH = Server("c-floor", "plain", _floor("each"), AT_ONCE, "C, one send a copy")
FLOOR_BATCH = Server("c-batch", "plain", _floor("batch"), AT_ONCE, "C, one send a member and turn")
