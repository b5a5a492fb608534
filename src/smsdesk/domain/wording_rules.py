"""How rules of wording are written down. The rules of a language stand in files of their own.

A rule is read against one clause at a time, brought to plain words by `wording_text`. A wording is a regular expression
in which `(` only groups and `{NAME}` stands for a part with a name. Lines and two spaces part one wording from the
next; a line that stands further in goes on with the one before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a text means for consent."""

    STOP = "stop"
    """Clear to any reasonable reader: it acts as STOP does."""
    DOUBTFUL = "doubtful"
    """It may be a revocation: nothing more is sent by itself until a person has read it."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """Wordings that are judged alike, and why they are."""

    verdict: Verdict
    reason: str
    pattern: re.Pattern[str]
    whole: bool = False
    """It says nothing of messages by itself, and is clear only where the text speaks of nothing else."""


@dataclass(frozen=True, slots=True)
class Language:
    """All that is known of how people say it in one language."""

    code: str
    courtesies: re.Pattern[str]
    """What a clause may consist of that says nothing."""
    rules: tuple[Rule, ...]
    not_meant: re.Pattern[str]
    """Wordings that say the opposite, or speak of something else: what they match is not there for the rules."""
    qualified: tuple[Rule, ...]
    """What makes a clear wording a doubtful one: a time, a reserve, a jest."""


class Notation:
    """Compiles wordings with the named parts of a language; COURTESIES are words that change nothing."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self._parts = {name: _joined(text) for name, text in parts.items()}
        self.courtesies = re.compile(rf"(?:{self._regex('{COURTESIES}')}(?: |$))+")

    def somewhere(self, verdict: Verdict, reason: str, wordings: str) -> Rule:
        """A rule for a clause that has one of these wordings in it."""
        return Rule(verdict, reason, self.wordings(wordings))

    def whole(self, verdict: Verdict, reason: str, wordings: str) -> Rule:
        """A rule for a clause that is one of these wordings and nothing else but courtesies."""
        kind = self._regex("{COURTESIES}")
        return Rule(verdict, reason, re.compile(rf"^(?:{kind} )*(?:{self._any(wordings)})(?: {kind})*$"), whole=True)

    def exactly(self, verdict: Verdict, reason: str, wordings: str) -> Rule:
        """A rule for a clause that is one of these wordings, with no other word."""
        return Rule(verdict, reason, re.compile(rf"^(?:{self._any(wordings)})$"), whole=True)

    def wordings(self, wordings: str) -> re.Pattern[str]:
        """Finds one of these wordings, as whole words."""
        return re.compile(rf"\b(?:{self._any(wordings)})(?!\w)")

    def _any(self, wordings: str) -> str:
        lines = _joined(wordings).split("\n")
        return "|".join(self._regex(one) for line in lines for one in line.split("  "))

    def _regex(self, wording: str) -> str:
        while named := re.search(r"\{([A-Z_]+)\}", wording):
            wording = wording.replace(named[0], f"({self._parts[named[1]]})")
        return re.sub(r"\((?!\?)", "(?:", wording)


def _joined(text: str) -> str:
    """The wordings one a line, without what only makes them readable."""
    lines = text.strip("\n").rstrip().split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = ""
    for line in lines:
        text += line.strip() if line.startswith(" " * (indent + 1)) else "\n" + line.strip()
    return text.strip()
