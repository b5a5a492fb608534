"""`smsdesk consent words`: how well replies are understood that take consent back in words of their own."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from smsdesk.cli.options import Json, print_json
from smsdesk.domain.wording_score import Labelled, Miss, Score, WrongCorpus, read_corpus, score

CORPORA = ("known", "held_out")
"""What the rules were made with, and what was written before them and never used to make them."""

_File = Annotated[
    Path | None,
    typer.Argument(exists=True, dir_okay=False, help="A corpus of your own: verdict, language, text; tabs."),
]
_Misses = Annotated[bool, typer.Option("--misses", help="List the texts that are judged wrongly.")]


def words(file: _File = None, misses: _Misses = False, json: Json = False) -> None:
    """Print precision and recall for each verdict and language: on the corpora that come along, or on a file."""
    try:
        found = {name: score(corpus) for name, corpus in _corpora(file).items()}
    except (WrongCorpus, UnicodeDecodeError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    if json:
        print_json({name: {"scores": scores, "misses": wrong} for name, (scores, wrong) in found.items()})
        return
    for name, (scores, wrong) in found.items():
        _show(name, scores, wrong if misses else [])


def shipped(name: str) -> list[Labelled]:
    """A corpus that comes along."""
    text = (resources.files("smsdesk.cli") / "wording" / f"{name}.tsv").read_text(encoding="utf-8")
    return read_corpus(text.splitlines())


def _corpora(file: Path | None) -> dict[str, list[Labelled]]:
    if file is None:
        return {name: shipped(name) for name in CORPORA}
    return {file.name: read_corpus(file.read_text(encoding="utf-8").splitlines())}


def _show(name: str, scores: list[Score], misses: list[Miss]) -> None:
    typer.echo(f"{name}: {sum(one.texts for one in scores if one.language == 'all')} texts")
    typer.echo("language  meant      texts  stop  doubtful  none  precision  recall")
    for one in scores:
        if one.texts:
            judged = one.judged
            typer.echo(
                f"{one.language:<9} {one.verdict:<9} {one.texts:>6} {judged['stop']:>5} {judged['doubtful']:>9} "
                f"{judged['none']:>5} {_share(one.precision):>10} {_share(one.recall):>7}"
            )
    for miss in misses:
        typer.echo(f"  meant {miss.wanted}, judged {miss.judged} {miss.reason and f'({miss.reason})'}: {miss.text}")
    typer.echo()


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
