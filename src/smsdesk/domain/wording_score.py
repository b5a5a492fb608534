"""How well the rules of wording judge texts that a person has labelled."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from smsdesk.domain.wording import judge
from smsdesk.domain.wording_rules import Verdict

VERDICTS = tuple(verdict.value for verdict in Verdict)


class WrongCorpus(Exception):
    """A line of a corpus that cannot be read, by its number and what is wrong."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, and what a person says that it means."""

    verdict: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Miss:
    """A text that was judged otherwise than its label says."""

    wanted: str
    judged: str
    language: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """One verdict in one language, or in all of them."""

    language: str
    verdict: str
    texts: int
    """With this label."""
    judged: Mapping[str, int]
    """How those were judged, by verdict."""
    precision: float | None
    """Which share of the texts with this judgement have this label; None where there are none."""
    recall: float | None
    """Which share of the texts with this label have this judgement."""


def read_corpus(lines: Iterable[str]) -> list[Labelled]:
    """Lines of verdict, language and text with tabs between; `#` begins a remark. Raises WrongCorpus."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.rstrip("\r\n").split("\t", 2)
        if len(cells) < 3 or cells[0] not in VERDICTS:
            raise WrongCorpus(f"line {number}: must be {', '.join(VERDICTS)}, a tab, a language, a tab, and the text")
        found.append(Labelled(*cells))
    return found


def score(corpus: Iterable[Labelled]) -> tuple[list[Score], list[Miss]]:
    """Precision and recall of each verdict, for each language and for `all`, and the texts that were judged wrongly."""
    counts: Counter[tuple[str, str, str]] = Counter()
    misses = []
    for one in corpus:
        judgement = judge(one.text)
        judged = judgement.verdict.value
        counts[one.language, one.verdict, judged] += 1
        counts["all", one.verdict, judged] += 1
        if judged != one.verdict:
            misses.append(Miss(one.verdict, judged, one.language, one.text, judgement.reason))
    languages = sorted({language for language, _, _ in counts} - {"all"})
    scores = [_score(counts, language, verdict) for language in (*languages, "all") for verdict in VERDICTS]
    return scores, misses


def _score(counts: Mapping[tuple[str, str, str], int], language: str, verdict: str) -> Score:
    judged = {other: counts[language, verdict, other] for other in VERDICTS}
    labelled = sum(judged.values())
    said = sum(counts[language, other, verdict] for other in VERDICTS)
    right = judged[verdict]
    return Score(
        language,
        verdict,
        labelled,
        judged,
        round(right / said, 4) if said else None,
        round(right / labelled, 4) if labelled else None,
    )
