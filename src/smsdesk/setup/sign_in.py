"""The settings of a tenant that speak of signing in at the desk."""

import re
from pathlib import Path
from typing import Any

from smsdesk.setup.faults import WrongValue
from smsdesk.setup.secrets import reference
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, mapping, text

_ISSUER = re.compile(r"https://[^\s/?#]+[^\s?#]*|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(/[^\s?#]*)?")
_NEEDED = ("issuer", "client_id", "client_secret")


def _issuer(value: Value) -> str:
    address = text(2000)(value)
    if not _ISSUER.fullmatch(address):
        raise WrongValue(f'"{address[:80]}" is no issuer: it begins with https:// and has no ? or #')
    return address


def _secret(value: Value) -> dict[str, str]:
    where = reference(Path())(value)
    if not Path(where.get("file", "/")).is_absolute():
        raise WrongValue(f'"{where["file"]}" must be the whole path of the file, from / on')
    return where


OIDC: dict[str, Reader[Any]] = {
    "issuer": _issuer,
    "client_id": text(400),
    "client_secret": _secret,
    "label": text(60),
}


def _oidc(value: Value) -> dict[str, Any]:
    given, places = mapping(value, OIDC)
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise WrongValue(f"needs {', '.join(missing)}")
    return given


SIGN_IN_SETTINGS: dict[str, Reader[Any]] = {
    "passwords": boolean,
    "oidc": _oidc,
    "second_factor": choice("optional", "required"),
    "session_hours": integer(1, 720),
}
"""A reader for each. The client's secret is a reference, as those of carriers are."""
