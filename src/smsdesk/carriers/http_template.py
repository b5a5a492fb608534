"""What a set-up file says about a vendor that we do not know: templates for what goes out, paths into what comes in."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def as_is(value: str) -> str:
    """For a template whose values are written as they are."""
    return value


def in_url(value: str) -> str:
    """For a template of an address."""
    return quote(value, safe="")


def fill(template: Any, values: Mapping[str, str], write: Callable[[str], str] = as_is) -> Any:
    """Puts values in the place of `{names}`, in each text of a JSON value. Other braces stay as they are."""
    match template:
        case str():
            return _PLACEHOLDER.sub(lambda found: write(values[found[1]]) if found[1] in values else found[0], template)
        case dict():
            return {name: fill(value, values, write) for name, value in template.items()}
        case list():
            return [fill(value, values, write) for value in template]
        case _:
            return template


MEDIA = "{media_urls}"


def names_media(template: Any) -> bool:
    """Whether a template has a place for the addresses of files."""
    return MEDIA in _texts(template)


def spread(template: Any, urls: Sequence[str]) -> Any:
    """The template with the addresses of files, as a list, where a value is `{media_urls}` and nothing else; a key
    whose list would be empty is left out. Before `fill`: a text may hold these very words."""
    match template:
        case str():
            return list(urls) if template == MEDIA else template
        case dict():
            return {name: spread(value, urls) for name, value in template.items() if urls or value != MEDIA}
        case list():
            return [spread(value, urls) for value in template]
        case _:
            return template


def check_template(template: Any, names: Collection[str]) -> None:
    """Raises ValueError for a `{name}` that nobody will fill."""
    found = {name for text in _texts(template) for name in _PLACEHOLDER.findall(text)}
    if unknown := sorted(found - set(names)):
        raise ValueError(
            f"there is no {{{unknown[0]}}}: there are {', '.join(f'{{{name}}}' for name in sorted(names))}"
        )


def _texts(template: Any) -> list[str]:
    match template:
        case str():
            return [template]
        case dict():
            return [text for value in template.values() for text in _texts(value)]
        case list():
            return [text for value in template for text in _texts(value)]
        case _:
            return []


def pick(data: Any, path: str) -> Any:
    """What lies at a path such as `messages.0.id`; an empty path is the whole. None where there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(data, Mapping) and step in data:
            data = data[step]
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def pick_word(data: Any, path: str) -> str:
    """The same as text: empty where no path is given, or no text, number or truth lies there."""
    found = pick(data, path) if path else None
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if isinstance(found, str | int | float) else ""
