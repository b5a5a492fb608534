"""What a file only names: where a secret lies, never the secret itself, and other files such as certificates."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, mapping, text

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(^|_)(password|secret|token|key)$")
_REMEDY = "write {env: NAME} for an environment variable or {file: PATH} for a file"
LARGEST = 4096
"""Bytes of a secret."""


class SecretMissing(Exception):
    """A reference that leads to no secret on this machine; the text says which and what to do."""


def is_secret(name: str) -> bool:
    """Whether a carrier's setting of this name is one that no file may hold."""
    return bool(_SECRET.search(name))


def is_file(name: str) -> bool:
    """Whether a carrier's setting of this name is the path of a file that the line reads when it starts."""
    return name.endswith("_file")


def path(folder: Path) -> Reader[str]:
    """Reads a path; a relative one is taken from `folder`, that of the set-up file."""
    return lambda value: str(folder / text(4000)(value))


def reference(folder: Path) -> Reader[dict[str, str]]:
    """Reads `{env: NAME}` or `{file: PATH}`; a relative path is taken from `folder`, that of the set-up file."""

    def read(value: Value) -> dict[str, str]:
        if not value.is_mapping:
            raise WrongValue(f"a secret does not belong into this file: {_REMEDY}")
        given, _ = mapping(value, {"env": text(), "file": text(4000)})
        if len(given) != 1:
            raise WrongValue(f"names no secret: {_REMEDY}")
        if "file" in given:
            return {"file": str(folder / given["file"])}
        if not _VARIABLE.fullmatch(given["env"]):
            raise WrongValue(f'"{given["env"]}" cannot be the name of an environment variable')
        return {"env": given["env"]}

    return read


def resolve(where: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """The secret that a reference leads to, without a line break at its end. Raises SecretMissing."""
    if "env" in where:
        secret = environment.get(where["env"], "")
        if not secret:
            raise SecretMissing(f"the environment variable {where['env']} is not set: set it before you start smsdesk")
        return secret
    place = Path(where["file"])
    try:
        with place.open("rb") as file:
            data = file.read(LARGEST + 1)
        secret = data.decode().rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SecretMissing(f"{place} cannot be read ({reason}): create it, readable for smsdesk alone") from None
    if not secret or len(data) > LARGEST:
        raise SecretMissing(f"{place} must hold a secret of 1 to {LARGEST} bytes and has {len(data)}")
    return secret


def resolve_all(config: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """A carrier's settings with each reference replaced by its secret. Raises SecretMissing, naming the setting."""
    resolved = dict(config)
    for name, where in config.items():
        if is_secret(name) and isinstance(where, Mapping):
            try:
                resolved[name] = resolve(where, environment)
            except SecretMissing as error:
                raise SecretMissing(f"{name}: {error}") from None
    return resolved


def unresolvable(config: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
    """What is missing on this machine for a carrier's references and files, a sentence each."""
    missing: list[str] = []
    for name, where in config.items():
        if is_secret(name) and isinstance(where, Mapping):
            try:
                resolve(where, environment)
            except SecretMissing as error:
                missing.append(f"{name}: {error}")
        elif is_file(name) and where and not os.access(where, os.R_OK):
            missing.append(f"{name}: {where} cannot be read: put it there, readable for smsdesk")
    return missing
