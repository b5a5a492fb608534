"""`smsdesk consent`: lists, files, a carrier's list compared, and how well words are understood."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import asyncpg
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from smsdesk.cli import consent
from tests.store.outbox import make_tenant

Run = Callable[..., Result]
PHONE = "+14155550100"


@pytest.fixture
async def run(database: str, tmp_path: Path) -> Run:
    """One command line on a database with the tenant `acme`."""
    conn = await asyncpg.connect(database)
    await make_tenant(conn)
    await conn.close()
    app = typer.Typer()
    app.add_typer(consent.app, name="consent")

    def run(*words: str) -> Result:
        env = {"SMSDESK_DATABASE_URL": database, "SMSDESK_DATA": str(tmp_path), "COLUMNS": "200"}
        result = CliRunner().invoke(app, ["consent", *words], env=env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def phones(numbers: range) -> list[str]:
    return [f"+1415555{number:04}" for number in numbers]


def test_stop_show_start(run: Run) -> None:
    assert run("list", "acme").stdout == "nobody has opted out\n"
    assert run("stop", "acme", "415 555 0100", "--words", "called").stdout == "opted out\n"
    assert run("stop", "acme", PHONE).stdout == "was opted out already; noted\n"
    shown = run("show", "acme", PHONE).stdout
    assert shown.split()[:6] == ["number", "scope", "of", "since", "source", "words"]
    assert shown.count("opted_out") == 2
    assert run("start", "acme", PHONE).exit_code == 2, "the words are needed"
    assert run("start", "acme", PHONE, "--words", "signed").stdout == "opt-outs that ended: 1\n"
    found = json.loads(run("show", "acme", PHONE, "--json").stdout)
    assert (found["opt_outs"], found["history"][-1]["words"]) == ([], "signed")
    wrong = run("stop", "acme", "12")
    assert (wrong.exit_code, wrong.stderr) == (1, 'error: "12" is no phone number that this tenant may text\n')
    assert "--scope is number" in run("stop", "acme", PHONE, "--scope", "brand").stderr


def test_a_file_goes_in_and_comes_out_as_it_was(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    written = (
        "number,scope,scope_of,at,source,words\n"
        f"{PHONE},all,,2026-01-02T03:04:05Z,text,\"Stop, please\"\n"
        f"{PHONE},brand,care,2026-01-02T03:04:05Z,carrier,\n"
    )  # fmt: skip
    file.write_text(written)
    assert run("import", "acme", str(file)).stdout == "lines: 2, new: 1\n"
    assert run("export", "acme").stdout == written
    file.write_text(f"number\n{PHONE}\nnobody\n")
    refused = run("import", "acme", str(file))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[0] == "line 3: number: no phone number that may be texted"
    taken = run("import", "acme", str(file), "--skip-bad")
    assert (taken.exit_code, taken.stdout) == (0, "lines: 1, new: 0\n")


def test_a_carriers_list_is_compared_in_both_directions_and_repaired(run: Run, tmp_path: Path) -> None:
    """R24 with 2,000 numbers: what differs is found, with its direction, and none besides."""
    numbers = phones(range(100, 2100))
    Random(24).shuffle(numbers)
    ours, theirs = numbers[:100] + numbers[200:], numbers[100:]
    (tmp_path / "ours.csv").write_text("number\n" + "\n".join(ours))
    (tmp_path / "theirs.csv").write_text("number\n" + "\n".join(theirs))
    assert run("import", "acme", str(tmp_path / "ours.csv")).exit_code == 0
    drift = run("compare", "acme", str(tmp_path / "theirs.csv"), "--json")
    found = json.loads(drift.stdout)
    assert drift.exit_code == 1
    assert {one[0] for one in found["at_carrier_only"]} == set(numbers[100:200])
    assert set(found["here_only"]) == set(numbers[:100])
    repaired = json.loads(run("compare", "acme", str(tmp_path / "theirs.csv"), "--repair", "--json").stdout)
    assert repaired["repaired"] == 100
    again = json.loads(run("compare", "acme", str(tmp_path / "theirs.csv"), "--json").stdout)
    assert (again["at_carrier_only"], len(again["here_only"])) == ([], 100)
    one = json.loads(run("show", "acme", numbers[100], "--json").stdout)["history"][-1]
    assert (one["source"], one["actor"]) == ("carrier", "theirs.csv")


def test_what_a_carrier_says_too_often_is_shown_and_released(run: Run, database: str) -> None:
    async def add() -> None:
        conn = await asyncpg.connect(database)
        await conn.execute(
            "insert into carrier_opt_outs (tenant_id, message_id, carrier_id, number, source, code, at, state) "
            "values (1, 7, 1, $1, '+16285550199', '21610', now(), 'waiting')", PHONE,
        )  # fmt: skip
        await conn.close()

    consent.run(add)
    assert "smsdesk consent release TENANT lab" in run("list", "acme").stdout.replace("\n", " ")
    assert run("release", "acme", "lab", "taken").stdout == "taken: 1\n"
    assert PHONE in run("list", "acme").stdout


def test_words_on_the_corpora_and_on_a_file_of_ones_own(run: Run, tmp_path: Path) -> None:
    shown = run("words").stdout
    assert "known:" in shown
    assert "held_out:" in shown
    file = tmp_path / "mine.tsv"
    file.write_text("stop\ten\tplease stop texting me\nstop\ten\tbanana\nnone\ten\tsee you\n")
    found = json.loads(run("words", str(file), "--json").stdout)["mine.tsv"]
    stop = next(one for one in found["scores"] if (one["language"], one["verdict"]) == ("all", "stop"))
    assert (stop["texts"], stop["precision"], stop["recall"]) == (2, 1.0, 0.5)
    assert [one["text"] for one in found["misses"]] == ["banana"]
    assert "meant stop, judged none : banana" in run("words", str(file), "--misses").stdout
    file.write_text("perhaps\ten\thello\n")
    assert run("words", str(file)).stderr.startswith("error: line 1: must be stop, doubtful, none")
