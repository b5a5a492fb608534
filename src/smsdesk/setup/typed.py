"""Settings of a carrier as the type of the Config's field wants them, however deep it goes."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

from smsdesk.setup.faults import WrongValue
from smsdesk.setup.values import Reader, Value, choice, mapping, plain, text

LONGEST = 4000
"""Characters of a text."""


def as_typed(kind: Any) -> Reader[Any]:
    """Reads a value of a type. Text is taken as it is written, so that system_id: 007 stays 007, in lists and mappings
    too; what is wrong inside of them is said where it stands."""
    inner = _reader(inspect.type_info(kind))

    def read(value: Value) -> Any:
        before = len(value.findings.faults)
        given = inner(value)
        if len(value.findings.faults) == before:
            try:
                msgspec.convert(given, kind)
            except msgspec.ValidationError as error:
                given_is = f", not {value.kind()}" if value.is_scalar else ""
                raise WrongValue(in_words(error) + given_is) from None
        return given

    return read


def in_words(error: msgspec.ValidationError) -> str:
    """What the Config says is wrong, as a part of a sentence."""
    said = str(error).replace(" - at `$", " at `").replace("`.", "`")
    return said[:1].lower() + said[1:]


def _reader(wanted: inspect.Type) -> Reader[Any]:
    kinds = wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,)
    words = [str(word) for kind in kinds if isinstance(kind, inspect.LiteralType) for word in kind.values]
    is_text = any(isinstance(kind, inspect.StrType) for kind in kinds)

    def read(value: Value) -> Any:
        if value.is_mapping:
            return _mapping(value, kinds)
        if value.is_list:
            return _list(value, kinds)
        if words:
            return choice(*words)(value)
        return text(LONGEST, empty=True)(value) if is_text and not value.is_null else plain(value)

    return read


def _mapping(value: Value, kinds: Iterable[inspect.Type]) -> Any:
    for kind in kinds:
        if isinstance(kind, inspect.StructType):
            return mapping(value, {field.encode_name: _reader(field.type) for field in kind.fields})[0]
        if isinstance(kind, inspect.DictType):
            return {name: each.read(_reader(kind.value_type)) for name, each in value.fields().items()}
    return plain(value)


def _list(value: Value, kinds: Iterable[inspect.Type]) -> Any:
    for kind in kinds:
        if isinstance(kind, inspect.ListType | inspect.VarTupleType | inspect.SetType | inspect.FrozenSetType):
            return [each.read(_reader(kind.item_type)) for each in value.entries()]
    return plain(value)
