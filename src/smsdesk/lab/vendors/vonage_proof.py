"""Vonage's webhooks on the wire: by GET or POST, proven by a JWT or by a `sig`."""

import hashlib
import hmac
import warnings
from collections.abc import Mapping
from typing import ClassVar, Literal
from urllib.parse import urlencode

import jwt

from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.exchange import Callback, form_callback, json_callback
from smsdesk.lab.vendors.vendor import Sending


class VonageAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of Vonage's."""

    api_key: str = ""
    api_secret: str = ""
    signature_secret: str = ""
    signature: Literal["jwt", "md5hash", "md5", "sha1", "sha256", "sha512"] = "jwt"
    """How callbacks are proven: by a JWT in `authorization`, or by a `sig` among their fields."""
    http_method: Literal["POST-JSON", "POST", "GET"] = "POST-JSON"
    proven_by: ClassVar[str] = "signature_secret"


def written(fields: dict[str, str], account: VonageAccount, sending: Sending) -> Callback:
    """The webhook with these fields, in the account's method and with its proof."""
    headers = {}
    if sending.signed and account.signature != "jwt":
        fields |= {"timestamp": str(int(sending.now)), "nonce": hashlib.sha256(str(fields).encode()).hexdigest()[:32]}
        fields["sig"] = _sig(fields, account)
    if account.http_method == "GET":
        callback = Callback("GET", sending.url + ("&" if "?" in sending.url else "?") + urlencode(fields))
    elif account.http_method == "POST":
        callback = form_callback(sending.url, fields)
    else:
        callback = json_callback(sending.url, fields)
    if sending.signed and account.signature == "jwt":
        headers["authorization"] = "Bearer " + token(callback, account, sending.now)
    return Callback(callback.method, callback.url, {**callback.headers, **headers}, callback.body)


def token(callback: Callback, account: VonageAccount, now: float) -> str:
    """The JWT that proves a webhook: it holds the hash of the body."""
    payload_hash = hashlib.sha256(callback.body).hexdigest()
    claims = {
        "iss": "Vonage",
        "iat": int(now),
        "jti": payload_hash[:32],
        "api_key": account.api_key or "lab",
        "payload_hash": payload_hash,
    }
    with warnings.catch_warnings():
        # How long the secret is, is the customer's affair here as it is at Vonage.
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return jwt.encode(claims, account.secret, algorithm="HS256")


def _sig(fields: Mapping[str, str], account: VonageAccount) -> str:
    said = "".join(
        f"&{name}={value}"
        for name, value in sorted((n, v.replace("&", "_").replace("=", "_")) for n, v in fields.items())
    )
    if account.signature == "md5hash":
        return hashlib.md5((said + account.secret).encode(), usedforsecurity=False).hexdigest()
    return hmac.digest(account.secret.encode(), said.encode(), account.signature).hex().upper()
