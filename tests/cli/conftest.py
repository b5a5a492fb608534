"""The commands, run in this process against a real database, as a shell would see them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from smsdesk.cli import agent, apply, costs, doctor, history, migrate, texts, token

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs one command line; `env` adds to the environment and `input` is what it reads."""
    app = typer.Typer()
    for command in (apply.plan, apply.apply, costs.costs, history.history, migrate.migrate, doctor.doctor):
        app.command()(command)
    app.add_typer(token.app, name="token")
    app.add_typer(agent.app, name="agent")
    app.add_typer(texts.app, name="texts")

    def run(*words: str, env: dict[str, str] | None = None, input: str | None = None) -> Result:  # noqa: A002
        given = {"SMSDESK_DATABASE_URL": database, "SMSDESK_DATA": str(tmp_path), **(env or {})}
        result = CliRunner().invoke(app, words, env=given, input=input)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run
