"""Who asks: HTTP Basic with the subdomain as user and the API token as password."""

import hashlib
from binascii import Error, a2b_base64
from collections.abc import Mapping

from smsdesk.domain.tenant import Credential, Tenant

CHALLENGE = (b"www-authenticate", b'Basic realm="smsdesk", charset="UTF-8"')


def authenticate(
    tenants: Mapping[str, Tenant], authorization: bytes | None, host: bytes, domain: str
) -> tuple[Tenant, Credential] | None:
    """The tenant and the credential of a request; None where they are not known, disabled, or not of this host.

    One answer for all of these, so that a guess learns nothing. The token is compared by its SHA-256.
    """
    if authorization is None or authorization[:6].lower() != b"basic ":
        return None
    try:
        user, colon, token = a2b_base64(authorization[6:].strip(), strict_mode=True).partition(b":")
        subdomain = user.decode()
    except (Error, UnicodeDecodeError):
        return None
    tenant = tenants.get(subdomain)
    if tenant is None or not colon or not _host_agrees(host, subdomain, domain, tenants):
        return None
    credential = tenant.credentials.get(hashlib.sha256(token).digest())
    if credential is None or credential.disabled:
        return None
    return tenant, credential


class Callers:
    """Asks `authenticate` once for all requests with the same two headers, as long as the tenants are the same."""

    MOST = 256
    """Callers that are remembered. Only who was let in is."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._tenants: Mapping[str, Tenant] | None = None
        self._known: dict[tuple[bytes | None, bytes], tuple[Tenant, Credential]] = {}

    def find(
        self, tenants: Mapping[str, Tenant], authorization: bytes | None, host: bytes
    ) -> tuple[Tenant, Credential] | None:
        """As `authenticate`. Whatever is set up anew comes with another mapping of `tenants`, and is heeded at once."""
        if tenants is not self._tenants or len(self._known) >= self.MOST:
            self._tenants = tenants
            self._known.clear()
        said = (authorization, host)
        who = self._known.get(said)
        if who is None:
            who = authenticate(tenants, authorization, host, self._domain)
            if who is not None:
                self._known[said] = who
        return who


def _host_agrees(host: bytes, subdomain: str, domain: str, tenants: Mapping[str, Tenant]) -> bool:
    """A host name that names a tenant must name the user's: under our domain always, elsewhere where it is one."""
    name = host.decode("latin-1").rsplit(":", 1)[0].lower()
    first, dot, rest = name.partition(".")
    if not dot or first == subdomain:
        return True
    if domain and rest == domain.lower():
        return False
    return first not in tenants
