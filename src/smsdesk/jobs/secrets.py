"""Secrets of a line: its set-up names where they are, and they are read when it starts, never stored."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class SecretMissing(Exception):
    """A secret that cannot be read; the text says which and what to do."""


def resolve_secrets(config: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings with `{"env": NAME}` and `{"file": PATH}` replaced by what they name; raises SecretMissing."""
    return {key: _resolve(key, value, environ) for key, value in config.items()}


def _resolve(key: str, value: Any, environ: Mapping[str, str]) -> Any:
    if not isinstance(value, dict) or value.keys() not in ({"env"}, {"file"}):
        return value
    if "env" in value:
        if value["env"] not in environ:
            raise SecretMissing(f"{key}: the environment variable {value['env']} is not set")
        return environ[value["env"]]
    try:
        return Path(value["file"]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretMissing(f"{key}: the file {value['file']} cannot be read ({error})") from error
