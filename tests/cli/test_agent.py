"""smsdesk agent, as a shell sees it."""

import json
import re

import pytest

from tests.cli.conftest import Run

SETUP = "tenant: acme\nsettings: {public_url: 'https://sms.foo.com'}\nagents: [{email: john.doe@foo.com}]\n"


@pytest.fixture(autouse=True)
def tenant(run: Run) -> None:
    assert run("apply", "-", "--yes", input=SETUP).exit_code == 0


def test_a_link_is_alone_on_stdout(run: Run) -> None:
    made = run("agent", "password", "acme", "John.Doe@foo.com")
    assert re.fullmatch(r"https://sms\.foo\.com/desk/password/acme\.[0-9a-f]{64}\n", made.stdout)
    assert json.loads(run("agent", "password", "acme", "john.doe@foo.com", "--json").stdout)["link"] != made.stdout


def test_a_password_comes_by_standard_input(run: Run) -> None:
    done = run("agent", "password", "acme", "john.doe@foo.com", "--stdin", input="sesame, open\n")
    assert done.stdout == "the password of john.doe@foo.com is set; his sessions have ended\n"
    short = run("agent", "password", "acme", "john.doe@foo.com", "--stdin", input="short\n")
    assert (short.exit_code, short.stdout) == (1, "")


def test_who_is_not_there_gets_none(run: Run) -> None:
    for verb in ("password", "second-factor-off"):
        refused = run("agent", verb, "acme", "nobody@foo.com")
        assert (refused.exit_code, refused.stderr) == (1, 'error: there is no agent "nobody@foo.com" who may work\n')


def test_a_lost_second_factor_is_taken_away(run: Run) -> None:
    done = run("agent", "second-factor-off", "acme", "john.doe@foo.com")
    assert done.stdout == "john.doe@foo.com signs in without a second factor now\n"
