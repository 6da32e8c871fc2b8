"""The health check: one page over HTTP for load balancers and monitoring. Knows HTTP; must not know the hub.

The daemon is healthy while lines can be stored. A balancer that asks here sends nobody to a node that is cut off
from its database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.web.http import NOT_FOUND, OK, SERVICE_UNAVAILABLE
from twisted.web.resource import Resource
from twisted.web.server import Site
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime
    from twisted.web.http import Request

__all__ = ["HealthResource", "HealthSite"]

REQUEST_SECONDS = 10
"""Time limit of an idle connection, in seconds. Source: chosen; five intervals of haproxy's checks."""


class HealthResource(Resource):
    """All that is served: at ``/healthz`` 200 and ``ok`` while the daemon is healthy, else 503 and the reason.

    Args:
        state: Tells why lines can't be stored now, as a sentence; "" if they can. It must answer at once.
    """

    isLeaf = True

    def __init__(self, state: Callable[[], str]) -> None:
        super().__init__()
        self._state = state

    @override
    def render(self, request: Request) -> bytes:
        """Answer with the state as it is now."""
        status, text = NOT_FOUND, "There is nothing here but GET /healthz."
        if request.path == b"/healthz" and request.method in {b"GET", b"HEAD"}:
            fault = self._state()
            status, text = (SERVICE_UNAVAILABLE, fault) if fault else (OK, "ok")
        request.setResponseCode(status)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        return b"" if request.method == b"HEAD" else f"{text}\n".encode()


class HealthSite(Site):
    """An HTTP server with ``/healthz`` and nothing else, which logs no requests.

    Args:
        state: As for `HealthResource`.
        reactor: For the time limit.
    """

    noisy = False

    def __init__(self, state: Callable[[], str], reactor: IReactorTime) -> None:
        super().__init__(HealthResource(state), timeout=REQUEST_SECONDS, reactor=reactor)
        self.displayTracebacks = False

    @override
    def log(self, request: Request) -> None:
        """Nothing: no addresses reach the log, and a balancer asks every few seconds."""
