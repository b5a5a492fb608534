"""Words beyond the commands: what they are taken for, on texts that people write, however they are typed."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsdesk.cli.consent_words import shipped
from smsdesk.domain.wording import Judgement, judge
from smsdesk.domain.wording_rules import Verdict
from smsdesk.domain.wording_score import Score, WrongCorpus, read_corpus, score

STOP, DOUBTFUL, NONE = Verdict.STOP, Verdict.DOUBTFUL, Verdict.NONE


def scores(name: str) -> dict[str, Score]:
    return {one.verdict: one for one in score(shipped(name))[0] if one.language == "all"}


@pytest.mark.parametrize(("name", "least"), [("known", 0.99), ("held_out", 0.98)])
def test_clear_revocations_are_understood_and_ordinary_texts_are_left_alone(name: str, least: float) -> None:
    """R21: explicit recall 0.98, at most 0.5 % of ordinary texts acted on."""
    found = scores(name)
    assert found["stop"].recall is not None
    assert found["stop"].recall >= least
    assert found["none"].judged["stop"] / found["none"].texts <= 0.005
    assert found["doubtful"].recall is not None
    assert found["doubtful"].recall >= least - 0.03


def test_the_corpora_are_large_and_share_no_text() -> None:
    known, held_out = shipped("known"), shipped("held_out")
    assert len(known) > 1200
    assert len(held_out) > 300
    assert not {one.text.casefold() for one in known} & {one.text.casefold() for one in held_out}
    for corpus in (known, held_out):
        assert {one.language for one in corpus} == {"en", "es"}


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("please stop texting me", STOP), ("no more msgs", STOP), ("take me off your list", STOP), ("quit it", STOP),
        ("ya no me manden mensajes", STOP), ("dejen de escribirme", STOP), ("st0p texting me", STOP), ("S T O P", STOP),
        ("wrong number", DOUBTFUL), ("not interested", DOUBTFUL), ("stop texting me until Monday", DOUBTFUL),
        ("stop promos but keep the reminders", DOUBTFUL), ("número equivocado", DOUBTFUL),
        ("stop by tomorrow", NONE), ("can't stop laughing", NONE), ("don't stop", NONE), ("when does it end", NONE),
        ("cancel my appointment", NONE), ("stop the 5pm order", NONE), ("why did you stop texting me", NONE),
        ("no dejen de escribirme", NONE), ("para mañana", NONE), ("", NONE), ("🙂", NONE),
    ],
)  # fmt: skip
def test_what_must_be_told_apart(body: str, verdict: Verdict) -> None:
    assert judge(body).verdict is verdict


def test_a_judgement_says_why_and_in_which_language() -> None:
    assert judge("STOP") == Judgement(STOP, "a command word")
    assert judge("dejen de escribirme") == Judgement(STOP, "asks not to be written to", "es")
    assert judge("stop. my cat is on the roof") == Judgement(DOUBTFUL, "a command word beside other words", "en")
    assert judge("see you at 5") == Judgement(NONE)


CLEAR = ("please stop texting me", "take me off your list", "no more messages", "unsubscribe me", "dejen de escribirme",
         "no me manden mensajes", "quiten mi número de su lista")  # fmt: skip
DRESSINGS = ("{}", "{}!!!", "hi, {}", "{} thanks", "  {}\n", "“{}”", "{} 😡", "Hello. {}. Thank you.", "\u200b{}")


@pytest.mark.parametrize("dressing", DRESSINGS)
@pytest.mark.parametrize("clear", CLEAR)
def test_case_courtesies_and_marks_change_nothing(clear: str, dressing: str) -> None:
    for typed in (clear, clear.upper(), clear.title(), clear.replace("o", "ooo")):
        assert judge(dressing.format(typed)).verdict is STOP, dressing.format(typed)


@pytest.mark.parametrize("word", ["unsubscribe", "texting", "messages", "escribirme"])
def test_a_slip_of_the_finger_is_read_past(word: str) -> None:
    sentence = {"unsubscribe": "unsubscribe me", "texting": "stop texting me", "messages": "no more messages",
                "escribirme": "dejen de escribirme"}[word]  # fmt: skip
    for at in range(1, len(word) - 1):
        without = word[:at] + word[at + 1 :]
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        for typed in (without, swapped, word[:at] + word[at] + word[at:]):
            assert judge(sentence.replace(word, typed)).verdict is STOP, typed


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_text_is_judged(body: str) -> None:
    assert judge(body).verdict in Verdict


@pytest.mark.parametrize(
    "piece", ["stop ", "please ", "a ", "s.t.o.", "remove me from the ", "dont want to be ", "| ", "no me ", "lol", "@"]
)
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    judge((piece * 3000)[:20_000])
    assert time.process_time() - began < 0.5


def test_a_corpus_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    with pytest.raises(WrongCorpus, match="line 2"):
        read_corpus(["# remark", "maybe\ten\thello"])
    assert read_corpus(["stop\ten\ta\tb\n"])[0].text == "a\tb"
