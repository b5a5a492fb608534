"""smsdesk token, as a shell sees it."""

import json
import re

import pytest

from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def tenant(run: Run) -> None:
    assert run("apply", "-", "--yes", input="tenant: acme").exit_code == 0


def test_a_token_is_alone_on_stdout(run: Run) -> None:
    created = run("token", "create", "acme", "billing")
    assert re.fullmatch(r"sd_[0-9a-f]{64}\n", created.stdout)
    assert created.stderr == "Keep it: it is shown this once.\n"
    renewed = run("token", "regenerate", "acme", "billing", "--json")
    assert json.loads(renewed.stdout)["token"] != created.stdout.strip()


def test_the_list_never_shows_the_token(run: Run) -> None:
    token = run("token", "create", "acme", "billing").stdout.strip()
    run("token", "create", "acme", "crm")
    run("token", "disable", "acme", "billing")
    shown = run("token", "list", "acme").stdout
    assert [line.split()[:2] for line in shown.splitlines()] == [["billing", "disabled"], ["crm", "active"]]
    assert token not in shown
    told = json.loads(run("token", "list", "acme", "--json").stdout)
    assert [each["name"] for each in told["tokens"]] == ["billing", "crm"]
    assert token not in json.dumps(told)


def test_disable_and_enable(run: Run) -> None:
    run("token", "create", "acme", "billing")
    assert run("token", "disable", "acme", "billing").stdout == 'token "billing" of acme is disabled\n'
    assert run("token", "enable", "acme", "billing").stdout == 'token "billing" of acme is enabled\n'
    assert "active" in run("token", "list", "acme").stdout


def test_errors_are_one_line(run: Run) -> None:
    wrong = run("token", "create", "acm", "billing")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert wrong.stderr == 'error: there is no tenant "acm"; known: acme\n'
    assert run("token", "create", "acme").exit_code == 2
