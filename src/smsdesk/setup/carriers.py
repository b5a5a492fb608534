"""The carriers of a file, judged by the Config type of their line, which is passed in: no carrier is known here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from smsdesk.domain.setup import Fields
from smsdesk.setup.faults import WrongValue, meant
from smsdesk.setup.secrets import is_secret, reference
from smsdesk.setup.values import Reader, Value, boolean, mapping, nullable, plain, text
from smsdesk.setup.wanted import Item

Configs: TypeAlias = Mapping[str, type[msgspec.Struct]]
"""The Config of each type of carrier, by the word that `type:` has in a file."""


def read_carrier(value: Value, existing: Mapping[str, Fields], configs: Configs, folder: Path) -> Item:
    """Reads one entry of `carriers`. Its type decides which keys there are; of a carrier that exists it is known."""
    given = value.fields()
    name = _own(given, "name", text(60))
    if name is None:
        raise WrongValue("has no usable `name`: give it one, such as name: upstream")
    before = existing.get(name, {})
    kind = _own(given, "type", text(60)) or before.get("type")
    if "deleted" in given and given["deleted"].read(boolean):
        return _deleted(value, name)
    if kind is None:
        raise WrongValue(f'the new carrier "{name}" needs a type.{meant("", configs)}')
    if kind not in configs:
        (given.get("type") or value).wrong(f'there is no type of carrier "{kind}".{meant(kind, configs)}')
        raise WrongValue(f'the carrier "{name}" cannot be read without its type')
    if before and before["type"] != kind:
        given["type"].wrong(
            f'"{name}" is of type {before["type"]}, which cannot change: add a carrier under another name, move the '
            "numbers to it, then delete this one"
        )
    fields, places = mapping(value, _readers(configs[kind], folder))
    fields.pop("name", None)
    fields.pop("deleted", None)
    _whole(value, configs[kind], {**before, **fields})
    return Item("carrier", name, {**fields, "type": kind}, value.place, places)


def _own(given: Mapping[str, Value], name: str, reader: Reader[str]) -> str | None:
    try:
        return reader(given[name]) if name in given else None
    except WrongValue:
        return None  # the full reading of the mapping records it


def _deleted(value: Value, name: str) -> Item:
    mapping(value, {"name": text(60), "type": text(60), "deleted": boolean})
    return Item("carrier", name, {}, value.place, deleted=True)


def _readers(config: type[msgspec.Struct], folder: Path) -> dict[str, Reader[Any]]:
    readers: dict[str, Reader[Any]] = {"name": text(60), "type": text(60), "deleted": boolean}
    for field in msgspec.structs.fields(config):
        if is_secret(field.encode_name):
            readers[field.encode_name] = reference(folder)
        elif field.required:
            readers[field.encode_name] = _field(field.type)
        else:
            readers[field.encode_name] = nullable(_field(field.type))
    return readers


def _field(kind: Any) -> Reader[Any]:
    """A value as the Config's field wants it. Text is taken as it is written, so that system_id: 007 stays 007."""

    def read(value: Value) -> Any:
        try:
            msgspec.convert("", kind)
        except msgspec.ValidationError:
            wants_text = False
        else:
            wants_text = True
        given = text(1000, empty=True)(value) if wants_text and value.is_scalar else plain(value)
        try:
            msgspec.convert(given, kind)
        except msgspec.ValidationError as error:
            raise WrongValue(_words(error)) from None
        return given

    return read


def _whole(value: Value, config: type[msgspec.Struct], fields: Fields) -> None:
    """Records the required keys that are missing, and what the Config itself says about the whole."""
    known = {field.encode_name: field for field in msgspec.structs.fields(config)}
    missing = [name for name, field in known.items() if field.required and name not in fields]
    for name in missing:
        remedy = "{env: NAME} or {file: PATH}" if is_secret(name) else "a value"
        value.wrong(f"needs the key `{name}`: add `{name}:` with {remedy}")
    if missing:
        return
    # A reference stands for a secret that only the line will see, so the Config is shown a stand-in.
    shown = {
        name: "secret" if is_secret(name) else given
        for name, given in fields.items()
        if name in known and given is not None
    }
    try:
        msgspec.convert(shown, config)
    except msgspec.ValidationError as error:
        value.wrong(_words(error))


def _words(error: msgspec.ValidationError) -> str:
    said = str(error).replace(" - at `$", " at `").replace("`.", "`")
    return said[:1].lower() + said[1:]
