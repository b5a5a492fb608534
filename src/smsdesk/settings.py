"""What the environment says: one frozen class, read once at the start, refused loudly where it makes no sense."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

MOST_CONNECTIONS = 1000
"""The driver makes room for all of a pool at its start: a slip of the keyboard would take the memory."""
Network = IPv4Network | IPv6Network
SHORTEST_HISTORY, LONGEST_HISTORY = 7, 36500
"""Days. Receipts come for three days after a text, and a carrier that is down may keep one waiting for longer."""
NUMBERS = {"pool": (1, MOST_CONNECTIONS), "history_days": (SHORTEST_HISTORY, LONGEST_HISTORY)}
LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A variable of the environment that cannot be used; the text names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the environment variable SMSDESK_<FIELD>; `X_FILE` in place of `X` names a file that holds it.

    SMSDESK_DATA, the data folder, is an option of every command as well, and read there.
    """

    database_url: str = ""
    """A PostgreSQL to use; the embedded one where empty."""
    database_direct_url: str = ""
    """The way past a pooler at `database_url` that gives each transaction any connection, as pgbouncer may."""
    domain: str = ""
    """The host name under which each tenant's subdomain lies, such as `sms.example.com`; empty trusts the user name."""
    log_level: str = "info"
    """The least serious line that is logged: debug, info, warning or error."""
    pool: int = 8
    """The most connections to PostgreSQL that one process holds."""
    history_days: int = 0
    """How many days chats are kept after they ended, for all tenants; for ever where empty or 0 (docs/history.md)."""
    media_folder: str = ""
    """Where pictures and other files of chats are kept; `media` in the data folder where empty."""
    trusted_proxies: str = ""
    """Proxies in front, such as `10.0.0.5,10.1.0.0/16`: those whose `X-Forwarded-For` is believed."""
    lab_page: str = ""
    """Where the handsets of a lab are, for the link on the first page; no link where empty."""


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; raises SettingsError for a value of the wrong kind or a file that is not there."""
    environ = os.environ if environ is None else environ
    found: dict[str, str | int] = {}
    for field in fields(Settings):
        name = f"SMSDESK_{field.name.upper()}"
        value = _value(environ, name)
        if value is None:
            continue
        if field.name == "history_days" and value in ("", "0"):
            continue
        if field.type is int:
            least, most = NUMBERS[field.name]
            if not value.isdecimal() or len(value) > 5 or not least <= int(value) <= most:
                raise SettingsError(f"{name} is {value!r}: it must be a whole number from {least} to {most:,}")
            found[field.name] = int(value)
        else:
            found[field.name] = value
    if (level := found.get("log_level", "info")) not in LEVELS:
        raise SettingsError(f"SMSDESK_LOG_LEVEL is {level!r}: use one of {', '.join(LEVELS)}")
    read_networks(str(found.get("trusted_proxies", "")))
    return Settings(**found)  # type: ignore[arg-type]


def read_networks(listed: str) -> tuple[Network, ...]:
    """The networks of SMSDESK_TRUSTED_PROXIES. Raises SettingsError."""
    try:
        return tuple(ip_network(each.strip()) for each in listed.split(",") if each.strip())
    except ValueError as error:
        raise SettingsError(f"SMSDESK_TRUSTED_PROXIES cannot be read: {error}") from None


def _value(environ: Mapping[str, str], name: str) -> str | None:
    path = environ.get(f"{name}_FILE")
    if path is None:
        return environ.get(name)
    if name in environ:
        raise SettingsError(f"{name} and {name}_FILE are both set: remove one of them")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE names {path}, which cannot be read: {error.strerror}") from error
