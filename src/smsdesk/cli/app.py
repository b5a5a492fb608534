"""The command line: every verb, and nothing of what they do."""

import typer

from smsdesk.cli import apply, doctor, migrate, serve, token

app = typer.Typer(
    name="smsdesk",
    help="The SMS channel of a contact center that its owner runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("plan")(apply.plan)
app.command("apply")(apply.apply)
app.command("migrate")(migrate.migrate)
app.command("doctor")(doctor.doctor)
app.add_typer(token.app, name="token")
