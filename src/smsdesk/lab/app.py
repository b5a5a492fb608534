"""The lab's HTTP application: the handsets' routes, the operator's, the page, and the one form of its errors."""

from pathlib import Path

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router

from smsdesk.lab import control_routes, handset_routes, page
from smsdesk.lab.smsc import Smsc
from smsdesk.lab.vendors.desk import Vendors

_PLACES = {"data": "body", None: "body"}


def _as_message(_: Request[None, None, State], error: HTTPException) -> Response[dict[str, str]]:
    details = error.extra if isinstance(error.extra, list) else []
    reasons = "; ".join(
        f"{_PLACES.get(d.get('key'), d.get('key'))}: {d.get('message')}" for d in details if isinstance(d, dict)
    )
    return Response({"message": reasons or error.detail}, status_code=error.status_code, headers=error.headers)


def build_app(smsc: Smsc, vendors: Vendors, certificate: str) -> Litestar:
    """The ASGI application of one lab; `certificate` is the TLS port's as PEM, empty without one."""
    here = Path(__file__).parent
    api = Router("/", route_handlers=[*handset_routes.ROUTES, *control_routes.ROUTES, page.show])
    return Litestar(
        [api, vendors.router(), create_static_files_router("/static", [here / "static"])],
        state=State({"smsc": smsc, "vendors": vendors, "certificate": certificate}),
        exception_handlers={HTTPException: _as_message},
        openapi_config=None,
        logging_config=None,
    )
