"""What a form consists of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Widget = Literal[
    "text", "area", "integer", "decimal", "switch", "choice", "secret", "lines", "ticks", "rows", "pairs", "group",
    "hours", "json",
]  # fmt: skip
"""`lines`: a list of words, one a line. `ticks`: some of a few words. `rows`: a list of mappings. `pairs`: a mapping of
words to words. `group`: a mapping with keys of its own. `json`: whatever else a mapping may hold."""
Empty = Literal["null", "omit", "text"]
BLANK_ROWS = 2
"""Empty rows at the end of a list, for a page whose script does not run."""


def N_(english: str) -> str:  # noqa: N802 - the name under which pybabel looks for words
    """Marks a sentence for the catalogue; it is said in the reader's language when it is shown."""
    return english


@dataclass(frozen=True, slots=True)
class Field:
    """A key of the file as a person fills it in."""

    name: str
    """Its key, or its path where that is one place of a group, such as `proof`."""
    label: str
    widget: Widget = "text"
    help: str = ""
    choices: Sequence[str] = ()
    """Of a choice and of ticks: all there are; of others: what is offered while one types."""
    fields: "Sequence[Field]" = ()
    """Of rows and groups."""
    empty: Empty = "null"
    """What nothing typed stands for: `null`, which takes the value away; the key left out, which leaves the value as it
    is; or the text itself."""
    required: bool = False
    own: bool = False
    """Whether it is asked first if there is a value of its own at all: of lists and mappings that are inherited, where
    an empty one is a value."""
    offered: str = ""
    """What the choice says that stands for nothing; where empty, that it is the default."""
    fixed: bool = False
    """Whether it names a thing that is there: shown, and not to be changed."""
    words: Sequence[str] = ()
    """What people read for each of `choices`, in their order; where empty, the choices as they are."""

    def word(self, choice: str) -> str:
        """The words for a choice; empty where there are none."""
        return dict(zip(self.choices, self.words, strict=False)).get(choice, "")


def words_of(fields: Sequence[Field]) -> Iterator[str]:
    """All that a form says, for the catalogue of another language."""
    for field in fields:
        yield field.label
        yield from filter(None, (field.help, field.offered, *field.words))
        yield from words_of(field.fields)
