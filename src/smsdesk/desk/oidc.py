"""Talk with an identity provider: OpenID Connect, authorization code with PKCE, state and nonce.

A provider's word counts where its signature, issuer, audience, time and nonce hold, and it says that the e-mail address
is verified. Whatever does not hold raises Problem `identity_refused`, whose detail says what.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import jwt
import msgspec
from yarl import URL

from smsdesk.errors import Problem

ALGORITHMS = ("RS256", "ES256")
"""Signatures that are believed: both need the provider's private key, which `none` and the HS family do not."""
LEEWAY = 60
"""Seconds by which the provider's clock may differ."""
KEPT = timedelta(hours=1)
ASK_AGAIN = timedelta(seconds=60)
"""How soon the keys may be fetched again for a signature by a key that is new."""
LARGEST = 1024 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class Discovery(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to the provider."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back by the browser, and what it is held against."""

    code: str
    nonce: str
    verifier: str


@dataclass(slots=True)
class _Known:
    discovery: Discovery
    keys: dict[str, Any]
    fetched_at: datetime


def _refused(why: str) -> Problem:
    return Problem("identity_refused", why)


@dataclass(slots=True)
class Providers:
    """What is known of the providers of all tenants, for an hour."""

    _known: dict[str, _Known] = field(default_factory=dict)

    async def way_out(self, client: Client, state: str, nonce: str, verifier: str, now: datetime) -> str:
        """Where the browser goes for the sign-in."""
        known = await self._of(client.issuer, now)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": client.client_id, "redirect_uri": client.redirect_uri,
            "scope": "openid email", "state": state, "nonce": nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = known.discovery.authorization_endpoint
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def email_of(self, client: Client, answer: Answer, now: datetime) -> str:
        """The verified e-mail address of whoever signed in there."""
        known = await self._of(client.issuer, now)
        tokens = await _exchange(known.discovery, client, answer)
        claims = await self._claims(client, str(tokens.get("id_token", "")), now)
        if claims.get("nonce") != answer.nonce:
            raise _refused("its answer belongs to another sign-in (nonce)")
        if "email" not in claims and known.discovery.userinfo_endpoint:
            told = await _call("GET", known.discovery.userinfo_endpoint, token=str(tokens.get("access_token", "")))
            if told.get("sub") != claims["sub"]:
                raise _refused("it speaks of two persons (sub)")
            claims = {**claims, **{name: told.get(name) for name in ("email", "email_verified")}}
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            raise _refused("it names no e-mail address")
        if claims.get("email_verified") not in (True, "true"):
            raise _refused("it does not say that the e-mail address is verified")
        return email

    def forget(self, issuer: str) -> None:
        """Asks this provider anew the next time."""
        self._known.pop(issuer, None)

    async def _claims(self, client: Client, token: str, now: datetime) -> dict[str, Any]:
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            key = await self._key(client.issuer, kid, now)
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=list(ALGORITHMS), audience=client.client_id, issuer=client.issuer,
                options={"require": ["exp", "iat", "sub", "aud", "iss"], "verify_exp": False, "verify_iat": False,
                         "verify_nbf": False},
            )  # fmt: skip
            _check_times(claims, now)
            if claims.get("azp", client.client_id) != client.client_id:
                raise _refused("its answer is for another program (azp)")
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            raise _refused(f"its token does not hold: {error}") from None
        return claims

    async def _key(self, issuer: str, kid: str, now: datetime) -> Any:
        known = await self._of(issuer, now)
        if kid and kid not in known.keys and now - known.fetched_at > ASK_AGAIN:
            self.forget(issuer)
            known = await self._of(issuer, now)
        found = known.keys.get(kid) or (next(iter(known.keys.values())) if not kid and len(known.keys) == 1 else None)
        if found is None:
            raise _refused("its token is signed by a key that it does not name")
        return found

    async def _of(self, issuer: str, now: datetime) -> _Known:
        known = self._known.get(issuer)
        if known is not None and now - known.fetched_at < KEPT:
            return known
        said = await _call("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        try:
            discovery = msgspec.convert(said, Discovery)
        except msgspec.ValidationError as error:
            raise _refused(f"its description cannot be read: {error}") from None
        if discovery.issuer != issuer:
            raise _refused(f'it calls itself "{discovery.issuer[:200]}"; the set-up says "{issuer}"')
        keys = _keys(await _call("GET", discovery.jwks_uri))
        self._known[issuer] = known = _Known(discovery, keys, now)
        return known


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    at = now.timestamp()
    if float(claims["exp"]) < at - LEEWAY:
        raise _refused("its token has expired")
    if float(claims["iat"]) > at + LEEWAY or float(claims.get("nbf", 0)) > at + LEEWAY:
        raise _refused("its token is of the future: compare the clocks")


def _keys(said: Mapping[str, Any]) -> dict[str, Any]:
    """The keys by their names; what is no key for signatures is left out."""
    found: dict[str, Any] = {}
    listed = said.get("keys")
    for one in listed if isinstance(listed, list) else []:
        try:
            key = jwt.PyJWK(one)
        except (jwt.PyJWTError, TypeError, AttributeError):
            continue
        if key.public_key_use in (None, "sig") and key.key_type in ("RSA", "EC"):
            found[key.key_id or ""] = key.key
    return found


async def _exchange(discovery: Discovery, client: Client, answer: Answer) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code", "code": answer.code, "redirect_uri": client.redirect_uri,
        "code_verifier": answer.verifier,
    }  # fmt: skip
    basic = None
    if "client_secret_basic" in discovery.token_endpoint_auth_methods_supported:
        encoded = [urlencode({"": each})[1:] for each in (client.client_id, client.client_secret)]
        basic = aiohttp.encode_basic_auth(*encoded)
    else:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    return await _call("POST", discovery.token_endpoint, form=form, basic=basic)


async def _call(
    method: str, url: str, *, form: Mapping[str, str] | None = None, basic: str | None = None, token: str = ""
) -> dict[str, Any]:
    """One request to a provider: no redirects, ten seconds, a megabyte, and never in the clear but on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise _refused("one of its addresses does not begin with https://")
    headers = {"accept": "application/json"}
    if basic or token:
        headers["authorization"] = basic or f"Bearer {token}"
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, URL(url), data=form, headers=headers, allow_redirects=False) as answer,
        ):
            body, status = b"", answer.status
            async for piece in answer.content.iter_chunked(65536):
                body += piece
                if len(body) > LARGEST:
                    raise ValueError("too long")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise _refused(f"it cannot be reached: {type(error).__name__}") from None
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, ValueError):
        said = {}
    if status != 200:
        raise _refused(f"it answered {status} {str(said.get('error', ''))[:80]}".strip())
    return said
