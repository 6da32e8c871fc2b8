"""``chatroom``, or ``python -m twistedchat.client``."""

import os
import signal
import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Be the ``chatroom`` command."""
    # Ctrl-C while the rest is being loaded, a third of a second, ends without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from twistedchat.client.lifecycle import run_client  # noqa: PLC0415

    sys.exit(run_client(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
