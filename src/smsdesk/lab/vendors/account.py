"""What a customer has set up at a vendor: credentials, the secret of its callbacks, and where they go."""

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from smsdesk.lab.hosts import is_allowed

UNSET_SECRET = "lab"  # noqa: S105 - what an account signs with until somebody sets its secret


class Account(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every vendor's account has. A credential that is empty is not checked: anybody may send."""

    inbound_url: str = ""
    """Where handsets' replies go; empty is nowhere."""
    status_url: str = ""
    """Where the status of texts goes that name no address of their own; empty is nowhere."""
    numbers: tuple[str, ...] = ()
    """Numbers whose replies come here before any text left from them; the others follow who last sent from them."""
    proven_by: ClassVar[str] = ""
    """The setting that proves callbacks; empty for a vendor that proves nothing."""

    @property
    def secret(self) -> str:
        """What proves callbacks: `lab` until it is set."""
        return getattr(self, self.proven_by, "") or UNSET_SECRET


def read_accounts(path: Path) -> dict[str, dict[str, Any]]:
    """Reads a file such as `{"twilio": {"auth_token": "..."}}`. ValueError, for people, where it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Any]])
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}; write it like {{'twilio': {{'auth_token': '...'}}}}") from error


def blocked(url: str, allowed: tuple[str, ...]) -> str | None:
    """Why no callback goes to `url`: it is none of http, or its host is neither this machine nor allowed. None where
    one does."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return "it is not an address"
    if parts.scheme not in ("http", "https") or not host or not port_is_right:
        return "it is not an http address"
    return None if is_allowed(host, allowed) else f"{host} is not this machine: start the lab with --allow-host {host}"
