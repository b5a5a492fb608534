"""The carriers of a file, judged by the Config type of their line, which is passed in: no carrier is known here."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from smsdesk.domain.setup import Fields
from smsdesk.setup.faults import WrongValue, meant
from smsdesk.setup.rates import rates
from smsdesk.setup.secrets import is_file, is_secret, path, reference
from smsdesk.setup.typed import as_typed, in_words
from smsdesk.setup.values import Reader, Value, boolean, mapping, nullable, text
from smsdesk.setup.wanted import Item

Configs: TypeAlias = Mapping[str, type[msgspec.Struct]]
"""The Config of each type of carrier, by the word that `type:` has in a file."""


def read_carrier(value: Value, existing: Mapping[str, Fields], configs: Configs, folder: Path) -> Item:
    """Reads one entry of `carriers`. Its type decides which keys there are; of a carrier that exists it is known."""
    given = value.fields()
    name = _own(given, "name")
    if name is None:
        raise WrongValue("has no usable `name`: give it one, such as name: upstream")
    deleted = "deleted" in given and given["deleted"].read(boolean)
    if deleted:
        mapping(value, _KEYS)
        return Item("carrier", name, {}, value.place, deleted=True)
    before = existing.get(name, {})
    kind: str = _own(given, "type") or before.get("type", "")
    if kind not in configs:
        says = f'there is no type of carrier "{kind}".' if kind else f'the new carrier "{name}" needs a type.'
        given.get("type", value).wrong(says + meant(kind, configs))
        return Item("carrier", name, {}, value.place)
    if before and before["type"] != kind:
        given["type"].wrong(
            f'"{name}" is of type {before["type"]}, which cannot change: add a carrier under another name, move the '
            "numbers to it, then delete this one"
        )
    faults = len(value.findings.faults)
    fields, places = mapping(value, _readers(configs[kind], folder))
    own = {key: each for key, each in fields.items() if key not in ("name", "deleted")}
    _complete(value, configs[kind], {*before, *places})
    if len(value.findings.faults) == faults:
        _whole(value, configs[kind], {**before, **own})
    return Item("carrier", name, {**own, "type": kind}, value.place, places)


_KEYS: dict[str, Reader[Any]] = {"name": text(60), "type": text(60), "deleted": boolean}


def _own(given: Mapping[str, Value], name: str) -> str | None:
    try:
        return text(60)(given[name]) if name in given else None
    except WrongValue:
        return None  # the full reading of the mapping records it


def _readers(config: type[msgspec.Struct], folder: Path) -> dict[str, Reader[Any]]:
    readers = {**_KEYS, "rates": nullable(rates(folder))}
    for field in msgspec.structs.fields(config):
        if is_secret(field.encode_name):
            reader: Reader[Any] = reference(folder)
        else:
            reader = path(folder) if is_file(field.encode_name) else as_typed(field.type)
        readers[field.encode_name] = reader if field.required else nullable(reader)
    return readers


def defaults(config: type[msgspec.Struct]) -> dict[str, Any]:
    """What the Config has where a file says nothing."""
    return {
        field.encode_name: field.default
        for field in msgspec.structs.fields(config)
        if field.default is not msgspec.NODEFAULT
    }


def _complete(value: Value, config: type[msgspec.Struct], given: Collection[str]) -> None:
    """Records the required keys that are missing."""
    for field in msgspec.structs.fields(config):
        name = field.encode_name
        if field.required and name not in given:
            remedy = "{env: NAME} or {file: PATH}" if is_secret(name) else "a value"
            value.wrong(f"needs the key `{name}`: add `{name}:` with {remedy}")


def _whole(value: Value, config: type[msgspec.Struct], fields: Fields) -> None:
    """Records what the Config itself says about settings that are right each by itself."""
    known = {field.encode_name for field in msgspec.structs.fields(config)}
    # A reference stands for a secret that only the line will see, so the Config is shown a stand-in.
    shown = {
        name: "secret" if is_secret(name) else given
        for name, given in fields.items()
        if name in known and given is not None
    }
    try:
        msgspec.convert(shown, config)
    except msgspec.ValidationError as error:
        value.wrong(in_words(error))
