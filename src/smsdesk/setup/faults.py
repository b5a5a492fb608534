"""What is wrong in a set-up file and where, and the one exception that carries all of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from operator import attrgetter


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A value of a file: line and column from 1, and the path of its key, such as `agents[0].email`."""

    line: int = 1
    column: int = 1
    path: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a file: where, what is wrong, and what to do."""

    place: Place
    says: str

    def line(self, file: str) -> str:
        """The mistake as one line that editors can jump to: `FILE:LINE:COLUMN: PATH: WHAT`."""
        path = f"{self.place.path}: " if self.place.path else ""
        return f"{file}:{self.place.line}:{self.place.column}: {path}{self.says}"


class SetupError(Exception):
    """A file that cannot be applied, with every mistake that was found in it, in the order of the lines."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults: Sequence[Fault] = sorted(dict.fromkeys(faults), key=attrgetter("place"))
        count = len(self.faults)
        super().__init__(f"{file} has {count} mistake{'s' if count > 1 else ''}; nothing was changed")

    def lines(self) -> list[str]:
        """The mistakes for a person, one a line."""
        return [fault.line(self.file) for fault in self.faults]


class WrongValue(Exception):
    """Raised by the reader of one value; the text says what is wrong and what to write instead."""


def meant(word: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` for the known word that resembles `word` most, else the known words, else nothing."""
    words = sorted(set(known))
    close = closest(word, words)
    if close or not words:
        return close
    return f" Known: {', '.join(words[:12])}{' ...' if len(words) > 12 else ''}."


def closest(word: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` for the known word that resembles `word` most; nothing where none does."""
    words = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return f' Did you mean "{words[found[0]]}"?' if found else ""
