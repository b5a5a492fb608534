"""The `crm` of a file, judged by the Config type of its kind, which is passed in: no CRM is known here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from smsdesk.domain.setup import Fields
from smsdesk.setup.faults import WrongValue, meant
from smsdesk.setup.secrets import is_secret, reference
from smsdesk.setup.typed import as_typed, in_words
from smsdesk.setup.values import Reader, Value, mapping, nullable, text
from smsdesk.setup.wanted import Item

CrmConfigs: TypeAlias = Mapping[str, type[msgspec.Struct]]
"""The Config of each type of CRM, by the word that `type:` has in a file."""


def read_crm(value: Value, before: Fields | None, configs: CrmConfigs, folder: Path) -> Item | None:
    """Reads `crm`: a part of the tenant's settings. `before` is the CRM that stands; keys that the file does not name
    keep their value, unless the type is another. `null` takes the CRM away, and its jobs wait for the next one."""
    if value.is_null:
        return Item("settings", "", {"crm": None}, value.place)
    given = value.fields()
    before = before or {}
    kind = given["type"].read(text(60)) if "type" in given else before.get("type")
    if kind is None:
        if "type" not in given:
            value.wrong(f"needs a `type`.{meant('', configs)}")
        return None
    if kind not in configs:
        given.get("type", value).wrong(f'there is no type of CRM "{kind}".{meant(kind, configs)}')
        return None
    faults = len(value.findings.faults)
    own, _ = mapping(value, {"type": text(60), **_readers(configs[kind], folder)})
    kept = before if before.get("type") == kind else {}
    crm = {name: each for name, each in {**kept, **own, "type": kind}.items() if each is not None}
    if len(value.findings.faults) == faults:
        _judge(value, configs[kind], crm)
    return Item("settings", "", {"crm": crm}, value.place)


def _readers(config: type[msgspec.Struct], folder: Path) -> dict[str, Reader[Any]]:
    readers: dict[str, Reader[Any]] = {}
    for field in msgspec.structs.fields(config):
        name = field.encode_name
        reader: Reader[Any] = reference(folder) if is_secret(name) else as_typed(field.type)
        readers[name] = reader if field.required else nullable(reader)
    return readers


def _judge(value: Value, config: type[msgspec.Struct], crm: Fields) -> None:
    """Records the required keys that are missing, else what the Config says about all of them together."""
    missing = [field.encode_name for field in msgspec.structs.fields(config) if field.required]
    missing = [name for name in missing if name not in crm]
    for name in missing:
        remedy = "{env: NAME} or {file: PATH}" if is_secret(name) else "a value"
        value.wrong(f"needs the key `{name}`: add `{name}:` with {remedy}")
    if missing:
        return
    # A reference stands for a secret that only the server will see, so the Config is shown a stand-in.
    shown = {name: "secret" if is_secret(name) else each for name, each in crm.items() if name != "type"}
    try:
        msgspec.convert(shown, config)
    except msgspec.ValidationError as error:
        raise WrongValue(in_words(error)) from None
