"""Values as the text of a set-up file, in a way that the file's reader takes for the same values."""

import io
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

_WIDTH = 120


class _Representer(RoundTripRepresenter):
    """Text of several lines as a block, numbers without an exponent, no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(representer: _Representer, words: str) -> ScalarNode:
    # A block is exact only where nothing at its edges depends on how it is indented.
    block = "\n" in words and words == words.strip() + "\n" and all(line == line.strip() for line in words.split("\n"))
    return representer.represent_scalar("tag:yaml.org,2002:str", words, style="|" if block else None)


def _number(representer: _Representer, number: float) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:float", f"{Decimal(repr(number)):f}")


_Representer.add_representer(str, _text)
_Representer.add_representer(float, _number)


def as_yaml(value: Any) -> str:
    """The value as YAML 1.2; what looks like something else than text is in quotes."""
    yaml = YAML(pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = io.StringIO()
    yaml.dump(value, written)
    return written.getvalue()
