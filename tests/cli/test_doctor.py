"""smsdesk doctor and smsdesk migrate: what is in order, what is not, and what to do."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import asyncpg

from tests.cli.conftest import Run


def findings(run: Run, **options: Any) -> dict[str, dict[str, str]]:
    """The findings by their check; the last one of a name counts."""
    result = run("doctor", "--json", **options)
    told = json.loads(result.stdout)
    assert told["healthy"] == (result.exit_code == 0)
    return {each["check"]: each for each in told["findings"]}


def execute(dsn: str, statement: str) -> None:
    async def work() -> None:
        conn = await asyncpg.connect(dsn)
        await conn.execute(statement)
        await conn.close()

    asyncio.run(work())


def test_a_database_that_would_forget_is_broken(run: Run) -> None:
    found = findings(run)  # the cluster of the tests runs without fsync
    assert found["fsync"]["grade"] == "broken"
    assert found["fsync"]["remedy"].startswith("alter system set fsync = on")
    assert (found["schema"]["grade"], found["clock"]["grade"]) == ("ok", "ok")
    assert found["tenants"] == {
        "check": "tenants",
        "grade": "warning",
        "says": "there is none",
        "remedy": "make one with `smsdesk apply FILE`",
    }


def test_carriers_are_called_and_their_secrets_looked_up(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as open_line, socket.socket() as closed_line:
        closed_line.bind(("127.0.0.1", 0))
        lines = ", ".join(
            f"{{name: {name}, type: smpp, host: 127.0.0.1, port: {line.getsockname()[1]}, system_id: a, "
            f"password: {{env: {variable}}}}}"
            for name, line, variable in (("up", open_line, "LINE_UP"), ("down", closed_line, "LINE_DOWN"))
        )
        text = (
            f"tenant: acme\ncarriers: [{lines}]\nagents: [{{email: ann@foo.com}}]\n"
            "numbers: [{number: 62855, carrier: up}, {number: 62866, carrier: up, agent: ann@foo.com}]"
        )
        assert run("apply", "-", "--yes", input=text).exit_code == 0
        result = run("doctor", env={"LINE_UP": "secret"})
    assert result.exit_code == 1
    shown = " ".join(result.stdout.split())
    assert f"carrier acme/up 127.0.0.1:{open_line_port(text)} answers" in shown
    assert (
        "BROKEN carrier acme/down a secret or a file is missing -> password: the environment variable LINE_DOWN"
        in shown
    )
    assert "does not answer: " in shown
    assert "warning tenant acme no active token: nobody can use the API" in shown
    assert "warning tenant acme replies to 62855 reach no queue" in shown


def test_what_a_tenant_chose_and_what_cannot_work(run: Run, database: str, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("prefix,price,currency\n1,0.0079,USD\n")
    text = (
        "tenant: acme\ncarriers:\n"
        f"  - {{name: priced, type: lab, host: 127.0.0.1, port: 1, rates: {tmp_path / 'rates.csv'}}}\n"
        "  - {name: spare, type: lab, host: 127.0.0.1, port: 1}\n"
        "numbers: [{number: 62855, carrier: priced, fallbacks: [spare]}, {number: 62856, carrier: spare}]\n"
        "limits: [{number: 62855, segments: 1200, per: minute}]\n"
    )
    assert run("apply", "-", "--yes", input=text).exit_code == 0
    # As a newer version would leave it, whose line has a setting that this one does not know.
    execute(database, "update carriers set config = config || '{\"speed\": 9}' where name = 'spare'")
    told = json.loads(run("doctor", "--json").stdout)["findings"]
    found = {(each["check"], each["grade"], each["says"], each["remedy"]) for each in told}
    assert {finding for finding in found if finding[1] == "info"} == {
        (
            "tenant acme",
            "info",
            "texts of 62856 wait while their carrier is down",
            "name other carriers under `fallbacks:` of the number",
        ),
        ("tenant acme", "info", "limit number 62855 per minute: 1,200 segments", ""),
        (
            "carrier acme/spare",
            "info",
            "no prices: what its texts cost is not known",
            "name a price list under `rates:` of the carrier",
        ),
    }
    says = "its settings cannot work: object contains unknown field `speed`"
    assert ("carrier acme/spare", "broken", says, "mend them in its set-up file") in found


def test_a_line_whose_file_is_away(run: Run, database: str, tmp_path: Path) -> None:
    assert run("apply", "-", "--yes", input="tenant: acme\ncarriers: [{name: lab, type: lab}]").exit_code == 0
    execute(database, f'update carriers set config = \'{{"tls_ca_file": "{tmp_path}/ca.pem"}}\'')
    told = json.loads(run("doctor", "--json").stdout)["findings"]
    assert {
        "check": "carrier acme/lab",
        "grade": "broken",
        "says": "a secret or a file is missing",
        "remedy": f"tls_ca_file: {tmp_path}/ca.pem cannot be read: put it there, readable for smsdesk",
    } in told


def open_line_port(text: str) -> str:
    return text.split("port: ")[1].split(",", maxsplit=1)[0]


def test_a_schema_that_lacks_a_migration(run: Run, database: str) -> None:
    assert run("migrate", "--check").exit_code == 0
    execute(database, "drop schema public cascade; create schema public")
    refused = run("token", "list", "acme")
    assert (refused.exit_code, refused.stderr.strip().endswith("Run: smsdesk migrate")) == (1, True)
    assert findings(run)["schema"]["remedy"] == "run `smsdesk migrate`"
    assert run("migrate", "--check").exit_code == 2
    assert run("migrate").stdout.splitlines()[0] == "applied: 0001_pre_tables.sql"
    assert run("migrate").stdout == "the schema is up to date\n"
    assert findings(run)["schema"]["grade"] == "ok"


def test_a_database_of_a_newer_version(run: Run, database: str) -> None:
    execute(database, "insert into schema_migrations (name, sha256) values ('9999_pre_future.sql', '')")
    refused = run("plan", "-", input="tenant: acme")
    assert (refused.exit_code, refused.stderr[:44]) == (1, "error: The database has a newer schema than ")
    assert findings(run)["schema"]["grade"] == "broken"


def test_a_database_that_is_away_and_a_folder_open_to_all(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    env = {"SMSDESK_DATABASE_URL": "postgresql://127.0.0.1:1/none", "SMSDESK_DATA": str(folder)}
    found = findings(run, env=env)
    assert found["database"]["grade"] == "broken"
    assert found["data folder"]["remedy"] == f"chmod go-w {folder}"


def test_a_carrier_that_was_left_is_told_of_with_its_numbers(run: Run, database: str) -> None:
    text = (
        "tenant: acme\ncarriers: [{name: main, type: lab}, {name: backup, type: lab}]\n"
        "numbers: [{number: 62855, carrier: main, fallbacks: [backup]}]"
    )
    assert run("apply", "-", "--yes", input=text).exit_code == 0
    execute(
        database,
        "insert into sick_lines select tenant_id, carrier_id, 1, now(), 'no answer for 6 s' from carriers"
        " where name = 'main';"
        "update numbers set current_carrier_id = (select carrier_id from carriers where name = 'backup')",
    )
    shown = " ".join(run("doctor").stdout.split())
    assert "warning carrier acme/main left: no answer for 6 s; texts of 62855 go elsewhere" in shown
    assert "acme/backup left" not in shown
