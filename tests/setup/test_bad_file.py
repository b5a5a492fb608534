"""A file with many mistakes: all of them at once, each with its place and its remedy, and nothing is changed."""

import pytest

from smsdesk.setup.faults import SetupError
from smsdesk.store.db import Database
from smsdesk.store.tenants import tenant_ids
from tests.setup.kit import FILES, applied


async def test_every_mistake_is_said_at_once(db: Database) -> None:
    with pytest.raises(SetupError) as caught:
        await applied(db, (FILES / "bad.yaml").read_text())
    assert "\n".join([*caught.value.lines(), str(caught.value), ""]) == (FILES / "bad.txt").read_text()
    async with db.connection() as conn:
        assert await tenant_ids(conn) == []


async def test_a_secret_in_the_file_is_never_repeated(db: Database) -> None:
    with pytest.raises(SetupError) as caught:
        await applied(db, (FILES / "bad.yaml").read_text())
    assert "hunter2" not in "\n".join(caught.value.lines())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "setup.yaml:1:1: the file is empty: begin with `tenant: SUBDOMAIN`"),
        ("---\n...\n", "setup.yaml:1:1: the file is empty: begin with `tenant: SUBDOMAIN`"),
        (
            "settings: {}\n",
            "setup.yaml:1:1: there is no `tenant`: write `tenant: SUBDOMAIN` at the top of each document",
        ),
        ("tenant: [a\n", "setup.yaml:2:1: this is not YAML:"),
        ("tenant: a\n\tb: c\n", "setup.yaml:2:1: this is not YAML:"),
        ("tenant: *who\n", "setup.yaml:1:9: this is not YAML: found undefined alias 'who'"),
        ('tenant: "a\\0b"\n', "setup.yaml:1:9: tenant: holds control characters or line breaks: remove them"),
        ("tenant: a\nnumbers: {}\n", "setup.yaml:2:10: numbers: must be a list, not a mapping"),
        ("tenant: !!python/object:os.system a\n", "setup.yaml:1:9: tenant: must be text, not a value with the tag"),
        ("tenant: a\nqueues: &a [{name: A, children: *a}]", "queues nest at most 6 deep"),
        ("[" * 1500, "setup.yaml:1:1: the file nests too many brackets or levels"),
    ],
)
async def test_what_is_no_set_up_at_all(db: Database, text: str, says: str) -> None:
    with pytest.raises(SetupError) as caught:
        await applied(db, text)
    assert says in caught.value.lines()[0]


async def test_bytes_that_are_no_text() -> None:
    from smsdesk.setup.document import read_documents

    with pytest.raises(SetupError) as caught:
        read_documents(b"tenant: acme\nname: \xff\n", "setup.yaml")
    assert caught.value.lines() == ["setup.yaml:2:7: byte 0xff is not UTF-8: save the file as UTF-8"]


async def test_aliases_of_aliases_end_early(db: Database) -> None:
    levels = "\n".join(f"  - &a{n} {{name: q{n}, children: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30))
    with pytest.raises(SetupError):
        await applied(db, f"tenant: a\nqueues:\n  - &a0 {{name: q}}\n{levels}\n")
