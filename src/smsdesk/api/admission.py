"""Who may come in: the credential is known, does not ask too often, and says what kind of body it brings."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from smsdesk.api.auth import authenticate
from smsdesk.api.http import header
from smsdesk.api.services import Caller, Services


class NotKnown(Exception):
    """The request's subdomain and token are not known."""


class TooOften(Exception):
    """The credential asks more often than it may; `wait` seconds until it may again."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.wait = wait


class WrongMediaType(Exception):
    """The body is of another media type than the route takes."""


def admit(services: Services, scope: Scope) -> Caller:
    """Who asks; counted once for each request. Raises NotKnown or TooOften."""
    state: dict[str, Any] = scope.setdefault("state", {})
    known: Caller | None = state.get("caller")
    if known is not None:
        return known
    who = authenticate(
        services.directory.tenants, header(scope, b"authorization"), header(scope, b"host") or b"", services.domain
    )
    if who is None:
        raise NotKnown
    tenant, credential = who
    wait = services.limiter.wait(credential.credential_id, tenant.settings.requests_per_second)
    if wait:
        raise TooOften(wait)
    caller = state["caller"] = Caller(tenant, credential)
    return caller


async def check_media_type(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A route that takes JSON takes nothing else: a body of another kind is no answer's mistake to guess at. No media
    type at all counts as JSON. Raises WrongMediaType."""
    field = handler.parsed_data_field
    wanted = getattr(field.kwarg_definition, "media_type", None) if field else None
    named = header(connection.scope, b"content-type")
    if named is None or str(getattr(wanted, "value", wanted)) != "application/json":
        return
    if named.partition(b";")[0].strip().lower() != b"application/json":
        raise WrongMediaType
