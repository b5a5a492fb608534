"""The fields of a carrier or a CRM: those of the Config of its type."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import inspect

from smsdesk.desk.forms.fields import Empty, Field, Widget
from smsdesk.desk.forms.prose import helps, label_of
from smsdesk.desk.forms.showing import Inherited
from smsdesk.setup.secrets import is_secret

_DICTS = (inspect.DictType,)
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


def config_fields(config: type[msgspec.Struct]) -> list[Field]:
    """A field for each setting, in the order of the Config, but what must be given first."""
    fields = [_field(each, helps(config)) for each in msgspec.structs.fields(config)]
    return [field for field in fields if field.required] + [field for field in fields if not field.required]


def _field(field: msgspec.structs.FieldInfo, said: Any) -> Field:
    name = field.encode_name
    empty: Empty = "text" if field.required else "null"
    about: dict[str, Any] = {"help": said.get(field.name, ""), "required": field.required, "empty": empty}
    if is_secret(name):
        return Field(name, label_of(name), "secret", **{**about, "empty": "omit" if field.required else "null"})
    kinds = list(_kinds(inspect.type_info(field.type)))
    if structs := [kind for kind in kinds if isinstance(kind, inspect.StructType)]:
        return Field(name, label_of(name), "group", fields=nested(structs[0].cls), **about)
    widget, choices = _widget(kinds)
    if widget in ("lines", "pairs", "json", "integer", "decimal", "switch"):
        about["empty"] = "omit" if field.required else "null"
    return Field(name, label_of(name), widget, choices=choices, **about)


def nested(config: type[msgspec.Struct]) -> list[Field]:
    """The fields of a mapping inside of a Config. Such a mapping is replaced as a whole, so what is not typed is left
    out of it and has its default."""
    fields = (_field(each, helps(config)) for each in msgspec.structs.fields(config))
    return [replace(field, empty="omit") for field in fields]


def inherited_of(known: Mapping[str, Any], path: str = "") -> dict[str, Inherited]:
    """What each setting is where nothing is typed, by the names of inputs: of a mapping each of its own."""
    found: dict[str, Inherited] = {}
    for name, value in known.items():
        if isinstance(value, msgspec.Struct):
            found |= inherited_of(_fields_of(value), f"{path}{name}.")
        else:
            found[path + name] = Inherited(value)
    return found


def _fields_of(value: msgspec.Struct) -> dict[str, Any]:
    return {each.encode_name: getattr(value, each.name) for each in msgspec.structs.fields(type(value))}


def _kinds(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _kinds(each)
    elif isinstance(kind, inspect.Metadata):
        yield from _kinds(kind.type)
    else:
        yield kind


def _widget(kinds: list[inspect.Type]) -> tuple[Widget, list[str]]:
    words = [str(word) for kind in kinds if isinstance(kind, inspect.LiteralType) for word in kind.values]
    if words:
        return "choice", words
    for kind in kinds:
        if isinstance(kind, _DICTS):
            return ("pairs" if isinstance(kind.value_type, inspect.StrType | inspect.LiteralType) else "json"), []
        if isinstance(kind, _LISTS):
            return "lines", []
        if isinstance(kind, inspect.BoolType):
            return "switch", []
        if isinstance(kind, inspect.IntType):
            return "integer", []
        if isinstance(kind, inspect.FloatType):
            return "decimal", []
    return "text", []
