"""Who asks: HTTP Basic with the subdomain as user and the API token as password."""

import binascii
import hashlib
from base64 import b64decode
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
        user, colon, token = b64decode(authorization[6:].strip(), validate=True).partition(b":")
        subdomain = user.decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    tenant = tenants.get(subdomain)
    if tenant is None or not colon or not _host_agrees(host, subdomain, domain, tenants):
        return None
    credential = tenant.credentials.get(hashlib.sha256(token).digest())
    if credential is None or credential.disabled:
        return None
    return tenant, credential


def _host_agrees(host: bytes, subdomain: str, domain: str, tenants: Mapping[str, Tenant]) -> bool:
    """A host name that names a tenant must name the user's: under our domain always, elsewhere where it is one."""
    name = host.decode("latin-1").rsplit(":", 1)[0].lower()
    first, dot, rest = name.partition(".")
    if not dot or first == subdomain:
        return True
    if domain and rest == domain.lower():
        return False
    return first not in tenants
