"""The command line: every verb, where it lives, and nothing of what it does."""

import sys
from importlib import import_module

import typer

from smsdesk.log import set_up_log

VERBS = {
    "demo": "demo.demo",
    "serve": "serve.serve",
    "plan": "apply.plan",
    "apply": "apply.apply",
    "export": "export.export",
    "token": "token.app",
    "agent": "agent.app",
    "send": "send.send",
    "explain": "send.explain",
    "conform": "conform.check",
    "lab": "lab.lab",
    "bench": "bench.app",
    "prove": "prove.app",
    "texts": "texts.app",
    "consent": "consent.app",
    "costs": "costs.costs",
    "history": "history.history",
    "migrate": "migrate.migrate",
    "doctor": "doctor.doctor",
}
"""Verb to `module.name` in this package. A module is imported when its verb is typed: all of them take a second."""


def build_app(arguments: list[str]) -> typer.Typer:
    """The application with the verb that was typed, or with all of them where none was."""
    app = typer.Typer(
        name="smsdesk",
        help="The SMS channel of a contact center that its owner runs.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_quiet)
    typed = [verb for verb in arguments[:1] if verb in VERBS]
    for verb in typed or VERBS:
        module, name = VERBS[verb].split(".")
        command = getattr(import_module(f"smsdesk.cli.{module}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=verb)
        else:
            app.command(verb)(command)
    return app


def main() -> None:
    """Runs the command that was typed."""
    build_app(sys.argv[1:])()


def _quiet() -> None:
    set_up_log("warning", for_people=True)
