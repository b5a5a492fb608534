"""docs/api.md names every route of the API and no other, and what it sends is what the routes take."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_api import DOCUMENT, V1

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
CALLS = re.findall(r"^api ([^(\n].*)$", PAGE, re.MULTILINE)


def parse(line: str) -> tuple[str, str, Any]:
    """Method, path with its parameters named as the document names them, and the body if it is JSON."""
    where, *options = shlex.split(line)
    body = options[options.index("-d") + 1] if "-d" in options else None
    method = options[options.index("-X") + 1] if "-X" in options else "POST" if body is not None else "GET"
    path, _, query = where.partition("?")
    known = [one for one in DOCUMENT["paths"] if re.fullmatch(_pattern(one), V1[:-1] + path)]
    assert known, f"there is no route {path}"
    route = min(known, key=lambda one: one.count("{"))
    operation = DOCUMENT["paths"][route].get(method.lower())
    assert operation, f"{route} takes no {method}"
    named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
    asked = {re.sub("%5B(.*)%5D", r"[\1]", one.partition("=")[0]) for one in query.split("&") if one}
    assert asked <= named, f"{line}: {asked - named}"
    return method, route, None if body is None else json.loads(body)


def _pattern(path: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))


def schema_of(method: str, route: str) -> dict[str, Any] | None:
    content = DOCUMENT["paths"][route][method.lower()].get("requestBody", {}).get("content", {})
    schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    if schema and "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_it_names_every_route() -> None:
    named = {(method, route) for method, route, _ in map(parse, CALLS)}
    published = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item if path.startswith(V1)
    }
    assert published - named == set(), "docs/api.md has a line for each route"


@pytest.mark.parametrize("line", CALLS)
def test_what_it_sends_is_what_the_route_takes(line: str) -> None:
    method, route, body = parse(line)
    schema = schema_of(method, route)
    if schema is not None:
        assert body is not None, f"{line}: the route takes JSON"
        assert set(schema.get("required", [])) <= body.keys() <= schema["properties"].keys()
        for name, value in body.items():
            words = schema["properties"][name].get("enum")
            assert not words or value in words, f"{line}: {name} is one of {words}"
