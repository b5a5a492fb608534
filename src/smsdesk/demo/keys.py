"""demo.json: what somebody needs to use the demo, kept in the data folder for its owner's eyes."""

import os
from pathlib import Path

import msgspec

FILE = "demo.json"


class DemoAgent(msgspec.Struct):
    """A person at the demo's desk."""

    id: int
    email: str
    password: str


class Keys(msgspec.Struct):
    """Where the demo is and who may use it. `conform` are the credentials of the tenants with a switch off."""

    base_url: str
    subdomain: str
    token: str
    outbound_number: str
    agents: list[DemoAgent]
    lab_url: str = ""
    conform: dict[str, str] = {}


def read_keys(data: Path) -> Keys | None:
    """The keys of the demo that was last started on this data folder, where there was one."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Keys)
    except (OSError, msgspec.MsgspecError):
        return None


def write_keys(data: Path, keys: Keys) -> None:
    """Keeps the keys in the data folder, readable for its owner alone."""
    path = data / FILE
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
    partial.replace(path)
