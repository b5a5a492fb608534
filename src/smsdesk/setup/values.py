"""One value of a YAML file with its place, and readers that make a Python value of it or say what is wrong with it."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from smsdesk.setup.faults import Fault, Place, WrongValue, closest, meant

T = TypeVar("T")

MOST_VALUES = 500_000
"""A file with more is refused: aliases of aliases make billions out of a few lines."""

_TAG = "tag:yaml.org,2002:"
_AS_WRITTEN = {f"{_TAG}{kind}" for kind in ("str", "int", "float", "timestamp")}
_PLAIN = _AS_WRITTEN | {f"{_TAG}{kind}" for kind in ("bool", "null", "map", "seq", "merge")}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{0,18})?")
# PostgreSQL stores no NUL and UTF-8 no surrogate; the other control characters are never meant in a name.
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(slots=True)
class Findings:
    """The mistakes of one file, and how many of its values were looked at."""

    faults: list[Fault] = field(default_factory=list)
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the file under its path."""

    node: Node
    path: str
    findings: Findings
    key: Node | None = None
    """The key that it stands under, where it does."""

    @property
    def place(self) -> Place:
        mark = self.node.start_mark
        return Place(mark.line + 1, mark.column + 1, self.path)

    @property
    def is_null(self) -> bool:
        return bool(self.node.tag == f"{_TAG}null")

    @property
    def is_scalar(self) -> bool:
        return isinstance(self.node, ScalarNode)

    @property
    def is_integer(self) -> bool:
        return bool(self.node.tag == f"{_TAG}int")

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, MappingNode)

    def wrong(self, says: str) -> None:
        """Records a mistake at this value."""
        self.findings.faults.append(Fault(self.place, says))

    def wrong_key(self, says: str) -> None:
        """Records a mistake at the key of this value."""
        replace(self, node=self.key or self.node).wrong(says)

    def child(self, node: Node, path: str) -> "Value":
        self.findings.looked_at += 1
        if self.findings.looked_at > MOST_VALUES:
            raise WrongValue("more than 500,000 values: split the file, or use fewer aliases")
        return Value(node, path, self.findings)

    def read(self, reader: "Reader[T]") -> T | None:
        """What the reader makes of this value; None after recording what it found wrong."""
        try:
            return reader(self)
        except WrongValue as wrong:
            self.wrong(str(wrong))
            return None

    def entries(self) -> list["Value"]:
        """The values of a list. Raises WrongValue where it is none."""
        if not isinstance(self.node, SequenceNode):
            raise WrongValue(f"must be a list, not {self.kind()}: write `- ` before each entry")
        return [self.child(node, f"{self.path}[{index}]") for index, node in enumerate(self.node.value)]

    def fields(self) -> dict[str, "Value"]:
        """The keys of a mapping with merges (`<<`) applied; keys given twice are recorded, and the first one counts."""
        if not isinstance(self.node, MappingNode):
            raise WrongValue(f"must be a mapping of keys to values, not {self.kind()}")
        own: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, node in self.node.value:
            at = self.child(key, self.path)
            if key.tag == f"{_TAG}merge":
                merged = {**self._merged(node), **merged}
            elif (name := at.read(text())) is not None:
                each = replace(self.child(node, self._join(name)), key=key)
                if name in own:
                    each.wrong_key("this key stands here twice: keep one of them")
                else:
                    own[name] = each
        return {**merged, **own}

    def _merged(self, node: Node) -> dict[str, "Value"]:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        found: dict[str, Value] = {}
        for source in sources:
            # A mapping may hold itself through an anchor; only what is written in it is merged.
            if not isinstance(source, MappingNode) or any(key.tag == f"{_TAG}merge" for key, _ in source.value):
                raise WrongValue("`<<` takes a mapping without a `<<` of its own, such as *name")
            found = {**Value(source, self.path, self.findings).fields(), **found}
        return found

    def _join(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def kind(self) -> str:
        """What the value is, in words for a message."""
        if self.node.tag not in _PLAIN:
            return f"a value with the tag {self.node.tag}"
        if isinstance(self.node, MappingNode):
            return "a mapping"
        if isinstance(self.node, SequenceNode):
            return "a list"
        return "empty" if self.is_null else f"`{str(self.node.value)[:40]}`"

    def scalar(self, tags: Collection[str], wanted: str) -> str:
        if not isinstance(self.node, ScalarNode) or self.node.tag not in tags:
            raise WrongValue(f"must be {wanted}, not {self.kind()}")
        return str(self.node.value)


Reader: TypeAlias = Callable[[Value], T]
"""Makes a Python value of one of the file, or raises WrongValue."""


def text(longest: int = 255, *, empty: bool = False, lines: bool = False) -> "Reader[str]":
    """Text as it is written in the file, so that `007` stays `007`; no control characters."""

    def read(value: Value) -> str:
        if value.node.tag in (f"{_TAG}bool", f"{_TAG}null"):
            raise WrongValue(f'must be text, not {value.kind()}: put it in quotes, "..."')
        words = value.scalar(_AS_WRITTEN, "text").strip()
        if not words and not empty:
            raise WrongValue("is empty: write something, or leave the key out")
        if len(words) > longest:
            raise WrongValue(f"has {len(words)} characters: at most {longest}")
        if _UNPRINTABLE.search(words) or ("\n" in words and not lines):
            raise WrongValue("holds control characters or line breaks: remove them")
        return words

    return read


def integer(low: int, high: int) -> "Reader[int]":
    """A whole number in decimal digits, from `low` to `high`."""

    def read(value: Value) -> int:
        words = value.scalar({f"{_TAG}int"}, f"a whole number from {low} to {high}")
        if not _INTEGER.fullmatch(words) or not low <= int(words) <= high:
            raise WrongValue(f"must be a whole number from {low} to {high}, not {words[:40]}")
        return int(words)

    return read


def boolean(value: Value) -> bool:
    """true or false, as YAML 1.2 has them; `yes` and `on` are refused and not guessed."""
    words = value.scalar({f"{_TAG}bool"}, "true or false").lower()
    if words not in ("true", "false"):
        raise WrongValue(f"must be true or false, not {words[:40]}")
    return words == "true"


def choice(*words: str) -> "Reader[str]":
    """One of a few words."""

    def read(value: Value) -> str:
        given = text()(value)
        if given not in words:
            raise WrongValue(f'must be one of {", ".join(words)}, not "{given}".{closest(given, words)}')
        return given

    return read


def nullable(reader: "Reader[T]") -> "Reader[T | None]":
    """`null` takes the value away; anything else goes to `reader`."""
    return lambda value: None if value.is_null else reader(value)


def mapping(value: Value, readers: Mapping[str, "Reader[Any]"]) -> tuple[dict[str, Any], dict[str, Place]]:
    """Reads the keys of a mapping, each by its own reader, and records what is wrong. Returns values and places."""
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for name, each in value.fields().items():
        if name not in readers:
            each.wrong_key(f'there is no key "{name}" here.{meant(name, readers)}')
            continue
        try:
            values[name] = readers[name](each)
            places[name] = each.place
        except WrongValue as wrong:
            each.wrong(str(wrong))
            places[name] = each.place
    return values, places


def plain(value: Value, depth: int = 0) -> object:
    """The value as JSON has it, for a Config type to judge. Raises WrongValue for what JSON cannot hold."""
    node = value.node
    if node.tag not in _PLAIN or depth > 10:
        raise WrongValue(f"cannot be {value.kind()}" if depth <= 10 else "is nested too deep")
    if isinstance(node, SequenceNode):
        return [plain(each, depth + 1) for each in value.entries()]
    if isinstance(node, MappingNode):
        return {name: plain(each, depth + 1) for name, each in value.fields().items()}
    if value.is_null:
        return None
    if node.tag == f"{_TAG}bool":
        return boolean(value)
    words = text(4000, empty=True, lines=True)(value)
    if node.tag == f"{_TAG}int" and _INTEGER.fullmatch(words):
        return int(words)
    if node.tag == f"{_TAG}float" and _NUMBER.fullmatch(words):
        return float(words)
    return words
