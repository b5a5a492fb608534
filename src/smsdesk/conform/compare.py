"""Holds a server's JSON against the page's: same keys in the same order, same values, but for ids and times."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ID_KEYS = frozenset({"id", "chat_id", "user_id", "end_user_id"})
# Values that belong to the installation, not to the page: compared apart.
APART = "agent_info"
# An agent need not have these; every other value of agent_info has the kind that it has on the page.
NULLABLE = frozenset({"agent_info.agent_number", "agent_info.avatar_url"})


@dataclass(frozen=True, slots=True)
class Keys:
    """A JSON object as it was written: its pairs in order, a repeated key included."""

    pairs: tuple[tuple[str, object], ...]

    def get(self, key: str) -> object:
        """The value of the first pair with this key, or None."""
        return next((value for name, value in self.pairs if name == key), None)


def parse_ordered(text: str) -> object:
    """JSON with objects as `Keys`. Raises ValueError for text that is no JSON, NaN and Infinity included."""

    def refuse(name: str) -> object:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(text, object_pairs_hook=lambda pairs: Keys(tuple(pairs)), parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


@dataclass(slots=True)
class Comparison:
    """Collects what differs between one example and its answer.

    `ids` maps the page's ids to the server's: an id may be any integer, but the same one wherever the page repeats it.
    """

    ids: dict[int, int] = field(default_factory=dict)
    apart: str = ""
    """A key of the whole object whose value somebody else compares."""
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def compare(self, page: object, server: object, path: str = "", *, kind_only: bool = False) -> None:
        """Walks both values together. With `kind_only` a plain value needs the page's kind, not the page's value."""
        if isinstance(page, Keys) and isinstance(server, Keys):
            self._objects(page, server, path, kind_only)
        elif isinstance(page, list) and isinstance(server, list):
            self._lists(page, server, path, kind_only)
        else:
            self._plain(page, server, path, kind_only)

    def _objects(self, page: Keys, server: Keys, path: str, kind_only: bool) -> None:
        wanted, given = [key for key, _ in page.pairs], [key for key, _ in server.pairs]
        where = f"{path}: " if path else ""
        if missing := [key for key in wanted if key not in given]:
            self.differences.append(f"{where}missing: {', '.join(missing)}")
        if repeated := _repeated(given):
            self.differences.append(f"{where}written twice: {', '.join(repeated)}")
        elif not missing and given[: len(wanted)] != wanted:
            self.differences.append(f"{where}order of keys: {_first_out_of_order(wanted, given)}")
        if extra := [key for key in given if key not in wanted]:
            self.notes.append(f"{where}new keys: {', '.join(extra)}")
        for key, value in page.pairs:
            if key in given and (path or key != self.apart):
                self.compare(value, server.get(key), f"{path}.{key}" if path else key, kind_only=kind_only)

    def _lists(self, page: list[object], server: list[object], path: str, kind_only: bool) -> None:
        if len(page) != len(server):
            self.differences.append(f"{path}: {len(page)} on the page, {len(server)} from the server")
        for place, (wanted, given) in enumerate(zip(page, server, strict=False)):
            self.compare(wanted, given, f"{path}[{place}]", kind_only=kind_only)

    def _plain(self, page: object, server: object, path: str, kind_only: bool) -> None:
        if type(page) is int and path.rpartition(".")[2] in ID_KEYS:
            self._id(page, server, path)
        elif isinstance(page, str) and TIME.fullmatch(page):
            if not (isinstance(server, str) and TIME.fullmatch(server)):
                self.differences.append(f"{path}: a time as {page} on the page, {show(server)} from the server")
        elif kind_only:
            if type(page) is not type(server) and not (server is None and path in NULLABLE):
                self.differences.append(
                    f"{path}: of the kind of {show(page)} on the page, {show(server)} from the server"
                )
        elif type(page) is not type(server) or page != server:
            self.differences.append(f"{path or 'body'}: {show(page)} on the page, {show(server)} from the server")

    def _id(self, page: int, server: object, path: str) -> None:
        if type(server) is not int:
            self.differences.append(f"{path}: an integer on the page, {show(server)} from the server")
        elif (known := self.ids.setdefault(page, server)) != server:
            self.differences.append(f"{path}: {known} expected as elsewhere in this answer, {server} from the server")


def show(value: object) -> str:
    """A value as JSON for people, an object or a list by its kind, long text cut."""
    if isinstance(value, Keys):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."


def _repeated(keys: Iterable[str]) -> list[str]:
    return [key for key, times in Counter(keys).items() if times > 1]


def _first_out_of_order(wanted: list[str], given: list[str]) -> str:
    place = next(place for place, (want, have) in enumerate(zip(wanted, given, strict=False)) if want != have)
    return f"{wanted[place]} is key {place + 1} on the page, {given[place]} from the server"
