"""Signing in by an identity provider: against a real one of others' making, and against one of ours that lies."""

import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from structlog.testing import capture_logs

from tests.desk.sign_in_kit import JOHN, Browser, settle
from tests.kit.desk import DeskKit, Seen
from tests.kit.processes import until

USERS = [
    {"sub": "john", "email": "John.Doe@foo.com", "email_verified": True},
    {"sub": "unverified", "email": JOHN},
    {"sub": "gone", "email": "gone@foo.com", "email_verified": True},
    {"sub": "stranger", "email": "stranger@foo.com", "email_verified": True},
]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """oidc-provider-mock as a process: its issuer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    for user in USERS:
        command += ["--user-claims", json.dumps(user)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()


async def use(desk: DeskKit, issuer: str, **more: Any) -> None:
    desk.clock.now = datetime.now(UTC)
    object.__setattr__(desk.services, "environ", {"OIDC_SECRET": "a secret: with % signs"})
    oidc = {"issuer": issuer, "client_id": "smsdesk", "client_secret": {"env": "OIDC_SECRET"}, "label": "With Foo"}
    await settle(desk, oidc={**oidc, **more})


@pytest.fixture
async def real(desk: DeskKit, provider: str) -> DeskKit:
    async def answers() -> bool:
        try:
            async with desk.http.get(f"{provider}/.well-known/openid-configuration") as answer:
                return answer.status == 200
        except OSError:
            return False

    await until(answers, 20, "the provider")
    await use(desk, provider)
    return desk


async def leave(browser: Browser, target: str = "/desk/profile") -> str:
    """Out to the provider: the address there."""
    seen = await browser.get(f"/desk/sign-in/oidc?workspace=acme&next={target}")
    assert seen.status == 303, seen.text
    return str(seen.headers["location"])


async def agree(desk: DeskKit, there: str, sub: str) -> str:
    """What a person does at the provider: the path by which he comes back."""
    async with desk.http.post(there, data={"sub": sub}, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def said(seen: Seen) -> str:
    notice = seen.html.select_one(".notice.error")
    return notice.get_text() if notice else ""


async def test_the_company_signs_him_in(real: DeskKit) -> None:
    browser = Browser(real)
    form = (await browser.get("/desk/sign-in?workspace=acme&next=/desk/profile")).html
    link = form.find("a", string="With Foo")
    assert link is not None
    there = str((await browser.get(str(link["href"]))).headers["location"])  # type: ignore[index]
    asked = parse_qs(urlsplit(there).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{real.base_url}/desk/sign-in/oidc/back"]
    back = await agree(real, there, "john")
    done = await browser.get(back)
    assert (done.status, done.headers["location"]) == (303, "/desk/profile"), done.text
    assert JOHN in (await browser.get("/desk/profile")).text
    assert await real.db.fetchval("select method from sessions") == "oidc"
    assert await real.db.fetchval("select details ->> 'with' from audit where action = 'sign in'") == "oidc"
    again = await browser.get(back)
    assert (again.status, "location" in again.headers) == (404, False), "an answer counts once"


@pytest.mark.parametrize("sub", ["unverified", "gone", "stranger", "somebody@foo.com"])
async def test_nobody_is_let_in_whom_we_do_not_know_for_sure(real: DeskKit, sub: str) -> None:
    browser = Browser(real)
    seen = await browser.get(await agree(real, await leave(browser), sub))
    assert (seen.status, said(seen)[:29]) == (401, "The sign-in at your company d")
    assert await real.db.fetchval("select count(*) from sessions") == 0
    assert await real.db.fetchval("select count(*) from agents") == 7


async def test_an_answer_belongs_to_the_browser_that_asked(real: DeskKit) -> None:
    browser, victim = Browser(real), Browser(real)
    back = await agree(real, await leave(browser), "john")
    await leave(victim)
    assert (await victim.get(back)).status == 404
    assert (await Browser(real).get(back)).status == 404
    assert (await browser.get("/desk/sign-in/oidc/back?code=x&state=")).status == 404
    assert (await browser.get(back.replace("code=", "error=access_denied&c="))).status == 401
    late = Browser(real)
    back = await agree(real, await leave(late), "john")
    real.clock.forward(minutes=11)
    assert (await late.get(back)).status == 404
    assert await real.db.fetchval("select count(*) from sessions") == 0


async def test_a_code_of_another_sign_in_is_refused(real: DeskKit) -> None:
    """PKCE and nonce: the code of one sign-in put into the answer of another."""
    thief, owner = Browser(real), Browser(real)
    stolen = parse_qs((await agree(real, await leave(owner), "john")).partition("?")[2])["code"][0]
    own = parse_qs(urlsplit(await leave(thief)).query)["state"][0]
    assert (await thief.get(f"/desk/sign-in/oidc/back?code={stolen}&state={own}")).status == 401


async def test_where_there_is_none_the_way_leads_nowhere(desk: DeskKit) -> None:
    assert (await Browser(desk).get("/desk/sign-in/oidc?workspace=acme")).status == 404
    assert (await Browser(desk).get("/desk/sign-in/oidc/back?code=1&state=1")).status == 404
    await use(desk, "http://127.0.0.1:9", label="<b>Foo</b>")
    page = await Browser(desk).get("/desk/sign-in?workspace=acme")
    assert "&lt;b&gt;Foo" in page.text
    assert (await Browser(desk).get("/desk/sign-in/oidc?workspace=acme")).status == 401
    object.__setattr__(desk.services, "environ", {})
    assert (await Browser(desk).get("/desk/sign-in/oidc?workspace=acme")).status == 401


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Liar:
    """A provider of our own, whose answers a test bends."""

    issuer: str = ""
    discovery: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"kid": "one"})
    key: Any = KEY
    alg: str | None = "RS256"
    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    userinfo: dict[str, Any] | None = None
    token: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    nonce: str = ""
    fetched: int = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._describe)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        app.router.add_get("/me", self._me)
        return app

    async def _describe(self, _request: web.Request) -> web.Response:
        said = {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/go", "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint": f"{self.issuer}/token", "userinfo_endpoint": f"{self.issuer}/me"}  # fmt: skip
        return web.json_response({**said, **self.discovery})

    async def _keys(self, _request: web.Request) -> web.Response:
        self.fetched += 1
        return web.json_response({"keys": self.keys})

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": self.issuer, "aud": "smsdesk", "sub": "1", "iat": now, "exp": now + 300, "nonce": self.nonce,
                  "email": JOHN, "email_verified": True, **self.claims}  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        token = self.token or jwt.encode(kept, self.key, algorithm=self.alg, headers=self.header)
        return web.json_response({"id_token": token, "access_token": "t"}, status=self.status)

    async def _me(self, _request: web.Request) -> web.Response:
        return web.json_response(self.userinfo or {})


def public(key: Any, kid: str, **more: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **more}


@pytest.fixture
async def liar(desk: DeskKit) -> AsyncIterator[Liar]:
    liar = Liar(keys=[public(KEY, "one"), public(CURVE, "curve"), public(OTHER, "locked", use="enc"), {"kty": "odd"}])
    runner = web.AppRunner(liar.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    liar.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    await use(desk, liar.issuer)
    yield liar
    await runner.cleanup()


async def come_back(desk: DeskKit, liar: Liar) -> int:
    browser = Browser(desk)
    seen = await browser.get("/desk/sign-in/oidc?workspace=acme")
    if seen.status != 303:
        return seen.status
    asked = parse_qs(urlsplit(str(seen.headers["location"])).query)
    liar.nonce = asked["nonce"][0]
    return (await browser.get(f"/desk/sign-in/oidc/back?code=c&state={asked['state'][0]}")).status


async def test_an_honest_one_is_believed(desk: DeskKit, liar: Liar) -> None:
    assert await come_back(desk, liar) == 303
    liar.key, liar.alg, liar.header = CURVE, "ES256", {"kid": "curve"}
    assert await come_back(desk, liar) == 303
    liar.claims = {"email": None, "email_verified": None}
    liar.userinfo = {"sub": "1", "email": JOHN, "email_verified": "true"}
    assert await come_back(desk, liar) == 303
    assert liar.fetched == 1, "its keys are kept"
    assert "client_secret" not in liar.asked[0], "the secret goes in the header"
    assert {"code", "code_verifier", "redirect_uri"} <= set(liar.asked[0])


async def test_a_new_key_is_fetched_but_not_for_each_lie(desk: DeskKit, liar: Liar) -> None:
    assert await come_back(desk, liar) == 303
    liar.key, liar.header = OTHER, {"kid": "new"}
    assert await come_back(desk, liar) == 401
    liar.keys.append(public(OTHER, "new"))
    desk.clock.forward(seconds=61)
    assert await come_back(desk, liar) == 303
    liar.header = {"kid": "unheard of"}
    assert [await come_back(desk, liar) for _ in range(3)] == [401] * 3
    assert liar.fetched == 2


PAST, FUTURE = datetime.now(UTC).timestamp() - 3600, datetime.now(UTC).timestamp() + 7200
LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "for another program": {"claims": {"aud": "other"}},
    "for two, by another": {"claims": {"aud": ["smsdesk", "other"], "azp": "other"}},
    "expired": {"claims": {"exp": PAST}},
    "of the future": {"claims": {"iat": FUTURE, "exp": FUTURE + 1}},
    "not yet": {"claims": {"nbf": FUTURE}},
    "no end": {"claims": {"exp": None}},
    "end is a word": {"claims": {"exp": "soon"}},
    "another nonce": {"claims": {"nonce": "x"}},
    "no nonce": {"claims": {"nonce": None}},
    "no person": {"claims": {"sub": None}},
    "not verified": {"claims": {"email_verified": False}},
    "verified is a word": {"claims": {"email_verified": "yes"}},
    "an address that is none": {"claims": {"email": 7}},
    "another key": {"key": OTHER},
    "a key for encryption": {"key": OTHER, "header": {"kid": "locked"}},
    "no signature": {"key": None, "alg": "none"},
    "a secret that all know": {"key": "s" * 64, "alg": "HS256"},
    "another algorithm": {"alg": "RS512"},
    "a curve's key for RSA": {"key": KEY, "header": {"kid": "curve"}},
    "no token": {"token": "x.y"},
    "refused": {"status": 400},
    "two persons": {"claims": {"email": None}, "userinfo": {"sub": "2", "email": JOHN, "email_verified": True}},
    "calls itself another": {"discovery": {"issuer": "https://evil.example"}},
    "in the clear": {"discovery": {"token_endpoint": "http://idp.example/token"}},
    "no addresses": {"discovery": {"jwks_uri": 7}},
}


async def test_what_does_not_hold_lets_nobody_in(desk: DeskKit, liar: Liar) -> None:
    honest = replace(liar)
    told = {}
    for name, lies in LIES.items():
        for each in fields(Liar):
            if each.name not in ("nonce", "fetched"):
                setattr(liar, each.name, lies.get(each.name, getattr(honest, each.name)))
        desk.services.providers.forget(liar.issuer)
        with capture_logs() as logs:
            assert await come_back(desk, liar) == 401, name
        told[name] = next(line["why"] for line in logs if "why" in line)
    assert await desk.db.fetchval("select count(*) from sessions") == 0
    wrong = {name: why for name, why in told.items() if REASONS[name] not in why}
    assert not wrong, "refused, but for something else"


REASONS = {
    "another issuer": "issuer", "for another program": "Audience", "for two, by another": "azp",
    "expired": "expired", "of the future": "future", "not yet": "future", "no end": '"exp"',
    "end is a word": "soon", "another nonce": "nonce", "no nonce": "nonce", "no person": '"sub"',
    "not verified": "verified", "verified is a word": "verified", "an address that is none": "no e-mail",
    "another key": "Signature", "a key for encryption": "does not name", "no signature": "alg",
    "a secret that all know": "alg", "another algorithm": "alg", "a curve's key for RSA": "does not hold",
    "no token": "does not hold", "refused": "answered 400", "two persons": "two persons",
    "calls itself another": "calls itself", "in the clear": "https", "no addresses": "description",
}  # fmt: skip
