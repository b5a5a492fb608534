"""What the environment says: one frozen class, read once at the start, refused loudly where it makes no sense."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

MOST_CONNECTIONS = 1000
"""The driver makes room for all of a pool at its start: a slip of the keyboard would take the memory."""
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
    domain: str = ""
    """The host name under which each tenant's subdomain lies, such as `sms.example.com`; empty trusts the user name."""
    log_level: str = "info"
    """The least serious line that is logged: debug, info, warning or error."""
    pool: int = 8
    """The most connections to PostgreSQL that one process holds."""
    media_folder: str = ""
    """Where pictures and other files of chats are kept; `media` in the data folder where empty."""
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
        if field.type is int:
            if not value.isdecimal() or len(value) > 4 or not 1 <= int(value) <= MOST_CONNECTIONS:
                raise SettingsError(f"{name} is {value!r}: it must be a whole number from 1 to {MOST_CONNECTIONS:,}")
            found[field.name] = int(value)
        else:
            found[field.name] = value
    if (level := found.get("log_level", "info")) not in LEVELS:
        raise SettingsError(f"SMSDESK_LOG_LEVEL is {level!r}: use one of {', '.join(LEVELS)}")
    return Settings(**found)  # type: ignore[arg-type]


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
