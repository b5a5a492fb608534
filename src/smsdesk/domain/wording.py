"""Whether a reply means that its writer wants no more texts, in words that are no command.

A person may revoke consent in any reasonable way (47 CFR 64.1200(a)(10)); the rules here are read offline and give
their reason, which the history keeps. What is clear acts as STOP does. What may be meant so holds sending and asks a
person.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from smsdesk.domain.consent import Words, read_words
from smsdesk.domain.wording_rules import Language, Rule, Verdict
from smsdesk.domain.wording_rules_en import ENGLISH, MISTAKE, WANTED
from smsdesk.domain.wording_rules_es import SPANISH, WANTED_ES
from smsdesk.domain.wording_text import read_clauses

LANGUAGES = (ENGLISH, SPANISH)

_GAP = "·"
"""Stands where something was that is not meant; it is no word and no end of a clause."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a text means for consent, and why."""

    verdict: Verdict
    reason: str = ""
    """The rule that decided, in words for a person; empty where none did."""
    language: str = ""
    """`en` or `es`; empty where no rule of a language decided."""


@dataclass(frozen=True, slots=True)
class _Finding:
    language: str
    rule: Rule
    clause: int


def judge(body: str) -> Judgement:
    """What a reply means for consent. The command words are `stop` too."""
    if read_words(body, opted_out=False) is Words.STOP:
        return Judgement(Verdict.STOP, "a command word")
    clauses = read_clauses(body)
    if any(MISTAKE.search(clause) for clause in clauses):
        return Judgement(Verdict.NONE)
    found = [finding for language in LANGUAGES for finding in _find(language, clauses)]
    clear = [finding for finding in found if finding.rule.verdict is Verdict.STOP]
    if not clear:
        wanted = any(wording.search(clause) for wording in (WANTED, WANTED_ES) for clause in clauses)
        return _judgement(found[0]) if found and not wanted else Judgement(Verdict.NONE)
    doubts = [_Finding(language.code, rule, at) for language in LANGUAGES for rule in language.qualified
              for at, clause in enumerate(clauses) if rule.pattern.search(clause)]  # fmt: skip
    if doubts:
        return _judgement(doubts[0])
    if all(finding.rule.whole for finding in clear) and _speaks_of_more(clauses, found):
        return Judgement(Verdict.DOUBTFUL, "a command word beside other words", clear[0].language)
    return _judgement(next((finding for finding in clear if not finding.rule.whole), clear[0]))


def _find(language: Language, clauses: list[str]) -> Iterator[_Finding]:
    for at, clause in enumerate(clauses):
        meant = language.not_meant.sub(_GAP, clause)
        for rule in language.rules:
            if rule.pattern.search(meant):
                yield _Finding(language.code, rule, at)


def _speaks_of_more(clauses: list[str], found: list[_Finding]) -> bool:
    """Whether a clause is neither understood nor a mere courtesy."""
    understood = {finding.clause for finding in found}
    return any(at not in understood and not _is_courtesy(clause) for at, clause in enumerate(clauses))


def _is_courtesy(clause: str) -> bool:
    return any(language.courtesies.fullmatch(clause) for language in LANGUAGES)


def _judgement(finding: _Finding) -> Judgement:
    return Judgement(finding.rule.verdict, finding.rule.reason, finding.language)
