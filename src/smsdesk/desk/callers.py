"""Where a request comes from, which workspace it is for, and the cookies by which its browser is known."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from smsdesk.domain.sign_in import KNOWN_FOR, STEP_LASTS, Caller
from smsdesk.domain.tenant import Tenant

Connection = ASGIConnection[Any, Any, Any, Any]

PLAIN, SECURE = "smsdesk", "__Host-smsdesk"
"""Names of the session's cookie; the second one where the desk is reached by https. A browser takes it from this very
host alone: no other name under the same domain can put one in its place."""
STEP, SECURE_STEP = "smsdesk_step", "__Host-smsdesk_step"
"""The secret of the first half of a sign-in."""
KNOWN = "smsdesk_browser"
"""By what a browser is known from an earlier sign-in."""
WORKSPACE = "smsdesk_workspace"
"""The workspace that was signed in to last."""


class Proxies:
    """The proxies in front, whose word is taken for where a request came from."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._networks = networks

    def trust(self, address: str) -> bool:
        """Whether this address is one of theirs."""
        return _is_address(address) and any(ip_address(address) in network for network in self._networks)


def client_address(connection: Connection, proxies: Proxies) -> str:
    """The address of the machine that asks: the socket's, or what the nearest proxy says that is not itself trusted.
    `X-Forwarded-For` of others is what they like to write."""
    client = connection.client
    address = client.host if client else ""
    told = ",".join(connection.headers.getall("x-forwarded-for", [])).split(",")
    for each in reversed(told):
        if not proxies.trust(address) or not _is_address(each.strip()):
            break
        address = each.strip()
    return address


def caller_of(connection: Connection, proxies: Proxies) -> Caller:
    """Where somebody tries to sign in from."""
    browser = connection.headers.get("user-agent", "")[:300].replace("\0", "")
    return Caller(client_address(connection, proxies), browser, connection.cookies.get(KNOWN, "")[:100])


def workspace_of(connection: Connection, domain: str, tenants: Mapping[str, Tenant]) -> str | None:
    """The workspace that the host names: always under our own domain, elsewhere where its first part is one. None where
    the host leaves it open."""
    first, dot, rest = host_of(connection).partition(".")
    if not dot:
        return None
    if domain and rest == domain.lower():
        return first
    return first if first in tenants else None


def host_of(connection: Connection) -> str:
    """The host name, without its port."""
    return (urlsplit(f"//{connection.headers.get('host', '')}").hostname or "").lower()


def is_secure(tenant: Tenant) -> bool:
    """Whether the tenant's people reach the desk by https."""
    return tenant.settings.public_url.startswith("https://")


def session_cookie(tenant: Tenant, secret: str) -> Cookie:
    """The cookie of a session: for this browser until it closes, out of the reach of scripts and other sites."""
    name = SECURE if is_secure(tenant) else PLAIN
    return _cookie(tenant, name, f"{tenant.subdomain}.{secret}", "/")


def step_cookie(tenant: Tenant, secret: str) -> Cookie:
    """What ties the second half of a sign-in to the browser of the first."""
    name = SECURE_STEP if is_secure(tenant) else STEP
    return _cookie(tenant, name, f"{tenant.subdomain}.{secret}", "/", round(STEP_LASTS.total_seconds()))


def step_of(connection: Connection, tenants: Mapping[str, Tenant]) -> tuple[Tenant | None, str]:
    """The tenant and the secret of the sign-in that this browser has begun; None and nothing where it has not."""
    subdomain = (connection.cookies.get(SECURE_STEP) or connection.cookies.get(STEP) or "").partition(".")[0]
    tenant = tenants.get(subdomain)
    name = SECURE_STEP if tenant is not None and is_secure(tenant) else STEP
    secret = connection.cookies.get(name, "").partition(".")[2]
    return (tenant, secret) if tenant is not None and secret else (None, "")


def lasting_cookies(tenant: Tenant, known: str) -> list[Cookie]:
    """What stays when the session is over: the workspace, and that the browser is known."""
    life = round(KNOWN_FOR.total_seconds())
    kept = [_cookie(tenant, WORKSPACE, tenant.subdomain, "/desk", life)]
    return [*kept, _cookie(tenant, KNOWN, known, "/desk/sign-in", life)] if known else kept


def gone_cookies(*names: str) -> list[Cookie]:
    """What takes these cookies away."""
    return [
        Cookie(key=name, value="", path="/", max_age=0, httponly=True, samesite="lax", secure=name.startswith("__"))
        for name in names
    ]


def inside(path: str) -> str:
    """The path, if it is one of the desk's; `/desk` else. Nobody is sent elsewhere by a link that he was given."""
    plain = path.isprintable() and "\\" not in path and len(path) <= 2000
    return path if plain and (path == "/desk" or path.startswith(("/desk/", "/desk?"))) else "/desk"


def _cookie(tenant: Tenant, key: str, value: str, path: str, max_age: int | None = None) -> Cookie:
    secure = is_secure(tenant)
    return Cookie(key=key, value=value, path=path, httponly=True, samesite="lax", secure=secure, max_age=max_age)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
