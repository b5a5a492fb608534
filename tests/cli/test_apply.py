"""smsdesk plan and smsdesk apply, as a shell sees them."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from smsdesk.actions.plan_setup import SetupFile
from smsdesk.cli.apply import apply_file
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from tests.cli.conftest import Run

FILE = "tenant: acme\ncarriers: [{name: lab, type: lab}]\nnumbers: [{number: +1 628-555-0199, carrier: lab}]\n"


def write(folder: Path, text: str = FILE) -> str:
    path = folder / "acme.yaml"
    path.write_text(text)
    return str(path)


def test_plan_says_what_apply_would_do_by_its_exit_code(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path)
    before = run("plan", path)
    assert (before.exit_code, before.stdout.splitlines()[0]) == (2, "tenant acme (new)")
    assert run("apply", path, "--yes").exit_code == 0
    after = run("plan", path)
    assert (after.exit_code, after.stdout) == (0, "tenant acme: nothing to change\n")


def test_nobody_there_to_ask(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path)
    refused = run("apply", path)
    assert refused.exit_code == 1
    assert refused.stderr == "error: nobody is there to ask: add --yes, after a look at `smsdesk plan`\n"
    assert run("plan", path).exit_code == 2


def test_mistakes_are_lines_on_stderr(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, FILE.replace("carrier: lab", "carrier: lba, lable: x"))
    for command in (["plan", path], ["apply", path, "--yes"]):
        result = run(*command)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.splitlines() == [
            f'{path}:3:46: numbers[0].carrier: there is no carrier "lba". Did you mean "lab"?',
            f'{path}:3:51: numbers[0].lable: there is no key "lable" here. Did you mean "label"?',
            f"error: {path} has 2 mistakes; nothing was changed",
        ]


def test_a_file_that_is_not_there(run: Run) -> None:
    result = run("plan", "/nowhere/acme.yaml")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: /nowhere/acme.yaml cannot be read: No such file or directory\n",
    )


def test_standard_input_and_json(run: Run) -> None:
    result = run("apply", "-", "--yes", "--json", input=FILE)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["applied"]) == (0, True)
    assert [(change["action"], change["kind"], change["name"]) for change in told["tenants"][0]["changes"]] == [
        ("create", "carrier", "lab"),
        ("create", "number", "+16285550199"),
    ]
    assert json.loads(run("apply", "-", "--yes", "--json", input=FILE).stdout)["applied"] is False


def test_the_keys_of_a_carrier_are_those_of_its_line(run: Run) -> None:
    result = run(
        "plan", "-", input="tenant: acme\ncarriers: [{name: up, type: smpp, host: h, system_id: 7, windw: 5}]\n"
    )
    assert result.stderr.splitlines()[:2] == [
        "standard input:2:12: carriers[0]: needs the key `password`: add `password:` with {env: NAME} or {file: PATH}",
        'standard input:2:58: carriers[0].windw: there is no key "windw" here. Did you mean "window"?',
    ]


def test_a_database_that_does_not_answer(run: Run, tmp_path: Path) -> None:
    url = "postgresql://smsdesk:very-secret@127.0.0.1:1/smsdesk"
    result = run("plan", write(tmp_path), env={"SMSDESK_DATABASE_URL": url})
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: the database of SMSDESK_DATABASE_URL (127.0.0.1:1/smsdesk) cannot be used: "
    )
    assert "very-secret" not in result.stderr
    assert run("plan", write(tmp_path), env={"SMSDESK_DATABASE_URL": "nonsense"}).exit_code == 1


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 2), ("y", 0, 0)])
def test_a_person_is_asked(run: Run, database: str, tmp_path: Path, answer: str, code: int, left: int) -> None:
    path = write(tmp_path)
    terminal, stdin = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    environment = {**os.environ, "SMSDESK_DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-m", "smsdesk", "apply", path],
        check=False,
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    os.close(terminal)
    os.close(stdin)
    assert "  + carrier lab" in done.stdout
    assert "Apply these changes?" in done.stdout
    assert done.returncode == code
    assert run("plan", path).exit_code == left


async def test_many_applies_at_once_all_end_well(database: str) -> None:
    databases = [Database(database, size=2) for _ in range(5)]
    texts = [f"tenant: acme\nqueues: [{{name: Queue{number}}}]\n".encode() for number in range(5)]
    for each in databases:
        await each.open()
    await asyncio.gather(
        *(
            apply_file(each, SetupFile("setup.yaml", text, Path(), {}, {}), yes=True, json=True)
            for each, text in zip(databases, texts, strict=True)
        )
    )
    async with databases[0].connection() as conn:
        queues = (await read_state(conn, "acme")).of("queue")
    assert sorted(queues) == [f"Queue{number}" for number in range(5)]
    assert sorted(fields["position"] for fields in queues.values()) == [1, 2, 3, 4, 5]
    for each in databases:
        await each.close()
