"""Signatures of requests to S3: AWS Signature Version 4, with the hash of the payload in a header.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header"; its examples are the tests.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "s3"


@dataclass(frozen=True, slots=True)
class Keys:
    """Who signs, and for which region."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str


def sign(keys: Keys, method: str, url: str, headers: Mapping[str, str], payload: bytes, at: datetime) -> dict[str, str]:
    """The headers of a request and those that prove it: Host, X-Amz-Date, X-Amz-Content-SHA256 and Authorization."""
    parts = urlsplit(url)
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(payload).hexdigest()
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    signed |= {"host": parts.netloc, "x-amz-date": moment, "x-amz-content-sha256": digest}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = "\n".join((method, _path(parts.path), _query(parts.query), lines, names, digest))
    scope = f"{moment[:8]}/{keys.region}/{_SERVICE}/aws4_request"
    said = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{keys.secret_key}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, said.encode(), "sha256").hex()
    proof = f"{_ALGORITHM} Credential={keys.access_key}/{scope},SignedHeaders={names},Signature={signature}"
    return {**signed, "authorization": proof}


def _path(path: str) -> str:
    return quote(unquote(path), safe="/-_.~") or "/"


def _query(query: str) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, True))
    return "&".join(f"{name}={value}" for name, value in pairs)
