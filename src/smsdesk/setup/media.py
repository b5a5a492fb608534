"""The settings of a tenant that speak of pictures and other files."""

import re
from pathlib import Path
from typing import Any

from smsdesk.domain.media import HARD_LIMIT_MB
from smsdesk.setup.faults import WrongValue
from smsdesk.setup.secrets import reference
from smsdesk.setup.values import Reader, Value, choice, integer, mapping, text

_PUBLIC = re.compile(r"https?://[^\s/?#]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}|[0-9A-Fa-f:.]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LONGEST_DAYS = 365
_NEEDED = ("endpoint", "bucket", "access_key", "secret_key")


def _address(value: Value) -> str:
    address = text(2000)(value).rstrip("/")
    if not _PUBLIC.fullmatch(address):
        raise WrongValue(f'"{address[:80]}" must be https:// and a host, without a path: https://sms.example.com')
    return address


def _hosts(value: Value) -> list[str]:
    hosts = [text(260)(each).lower() for each in value.entries()]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise WrongValue(f'"{host[:80]}" is no host: write it like media.internal or 10.0.0.5:8080')
    return hosts


def _bucket(value: Value) -> str:
    name = text(63)(value)
    if not _BUCKET.fullmatch(name):
        raise WrongValue(f'"{name}" is no name of a bucket: 3 to 63 small letters, digits, dots and dashes')
    return name


def _secret(value: Value) -> dict[str, str]:
    where = reference(Path())(value)
    if not Path(where.get("file", "/")).is_absolute():
        raise WrongValue(f'"{where["file"]}" must be the whole path of the file, from / on')
    return where


_S3: dict[str, Reader[Any]] = {
    "endpoint": _address,
    "bucket": _bucket,
    "region": text(64),
    "access_key": _secret,
    "secret_key": _secret,
}


def _store(value: Value) -> dict[str, Any]:
    given, _ = mapping(value, {"s3": lambda each: mapping(each, _S3)[0]})
    if "s3" not in given:
        raise WrongValue("names no store: write {s3: {endpoint, bucket, region, access_key, secret_key}}")
    missing = [name for name in _NEEDED if name not in given["s3"]]
    if missing:
        raise WrongValue(f"s3 needs {', '.join(missing)}")
    return {"s3": {"region": "us-east-1", **given["s3"]}}


MEDIA_SETTINGS: dict[str, Reader[Any]] = {
    "public_url": _address,
    "media_most_mb": integer(1, HARD_LIMIT_MB),
    "media_hosts_allowed": _hosts,
    "media_store": _store,
    "media_link_days": integer(1, _LONGEST_DAYS),
    "mms_fallback": choice("link", "refuse"),
}
"""A reader for each. The secrets of a bucket are references, as those of carriers are."""
