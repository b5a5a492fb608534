"""No text whatever gives anything but a plan or a list of mistakes; and a plan that is applied leaves nothing to do."""

import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from smsdesk.domain.setup import State
from smsdesk.setup.document import read_documents
from smsdesk.setup.faults import SetupError
from smsdesk.setup.items import Around, read_items, tenant_of
from smsdesk.setup.plan import TenantPlan, as_json, plan, render
from smsdesk.setup.references import final, settle
from smsdesk.setup.wanted import Wanted
from tests.setup.kit import CONFIGS, FILES

KEYS = st.sampled_from(
    ["tenant", "settings", "carriers", "queues", "numbers", "agents", "name", "type", "number", "carrier", "queue",
     "label", "fallbacks", "campaign", "brand", "rates", "limits", "segments", "per",
     "deleted", "children", "keyword", "hidden", "email", "first_name", "role", "password", "disabled", "env",
     "file", "host", "port", "system_id", "sms_enabled", "allowed_regions", "<<",
     "queue_defaults", "default_queue", "back_word", "crm", "time_zone", "texts", "greeting", "hours", "week",
     "mon-fri", "holidays", "2026-12-25", "routing", "groups", "group", "percent", "auto_answer", "skills", "max_chats",
     "agent", "move_chats_to", "agents", "shortcuts", "category", "text"]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "lab",
        "line",
        "Support",
        "Support/Billing",
        "+16285550199",
        "minute",
        "john.doe@foo.com",
        "US",
        "STOP",
        "0x1F",
        "always",
        "closed",
        "09:00-17:00",
        "cascade",
        "UTC",
        "@{MENU}",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), KEYS, WORDS,
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)
FILE = st.dictionaries(KEYS, VALUES, max_size=6).map(lambda keys: {"tenant": "acme", **keys})
ENTRIES = {"queues": {"name": "Support"}, "agents": {"email": "john.doe@foo.com"}, "numbers": {"number": "6285550199"}}
DESK = st.fixed_dictionaries(
    {"tenant": st.just("acme"), "settings": st.dictionaries(KEYS, VALUES, max_size=3)},
    optional={
        section: st.lists(
            st.dictionaries(KEYS, VALUES, max_size=5).map(lambda more, named=named: {**more, **named}), max_size=2
        )
        for section, named in ENTRIES.items()
    },
)
NOISE = st.text(alphabet=string.ascii_letters + string.digits + "{}[]:,-&*!|>'\"%@`#? \n\t\\<=~.\0\ud800é", max_size=80)


def judged(data: bytes, current: State) -> tuple[list[Wanted], list[str]]:
    """What the pure half of planning makes of a file: what it wants, and the mistakes as lines."""
    wanted: list[Wanted] = []
    try:
        documents = read_documents(data, "setup.yaml")
        for document in documents:
            if tenant_of(document):
                wanted.append(settle(current, read_items(document, Around(current, CONFIGS, FILES))))
        faults = [*documents[0].faults, *(fault for each in wanted for fault in each.faults)]
    except SetupError as error:
        faults = list(error.faults)
    return wanted, SetupError("setup.yaml", faults).lines()


def dumped(value: Any) -> bytes:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return str(stream.getvalue()).encode("utf-8", "surrogatepass")


@given(NOISE)
@settings(max_examples=300, deadline=None)
def test_noise(text: str) -> None:
    wanted, faults = judged(text.encode("utf-8", "surrogatepass"), State("acme"))
    assert wanted or faults


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_bytes(data: bytes) -> None:
    wanted, faults = judged(data, State("acme"))
    assert wanted or faults


@given(FILE | DESK)
@settings(max_examples=250, deadline=None)
def test_files_of_any_shape(value: Any) -> None:
    current = State("acme")
    wanted, faults = judged(dumped(value), current)
    assert wanted or faults
    for each in wanted:
        planned = TenantPlan(current, tuple(plan(current, each)))
        assert render(planned)
        assert as_json(planned)["tenant"] == "acme"


NAMES = st.sampled_from(["A", "B", "C", "D"])
LEAVES = st.lists(NAMES, unique=True, max_size=3).map(lambda names: [{"name": name} for name in names])
GOOD_FILES = st.fixed_dictionaries(
    {"tenant": st.just("acme")},
    optional={
        "settings": st.fixed_dictionaries({}, optional={"sms_enabled": st.booleans(), "company_name": st.just("Foo")}),
        "queues": st.lists(
            st.fixed_dictionaries({"name": NAMES}, optional={"hidden": st.booleans(), "children": LEAVES}),
            unique_by=lambda queue: queue["name"],
            max_size=4,
        ),
        "carriers": st.lists(
            st.fixed_dictionaries({"name": NAMES, "type": st.just("lab")}, optional={"host": st.just("h")}),
            unique_by=lambda carrier: carrier["name"],
        ),
    },
)


@given(st.lists(GOOD_FILES, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_after_any_sequence_of_files_the_last_one_again_changes_nothing(files: list[Any]) -> None:
    current = State("acme", tenant_id=1)
    for file in files:
        [wanted], faults = judged(dumped(file), current)
        assert not faults
        current = State("acme", 1, final(current, wanted.items))
        [again], _ = judged(dumped(file), current)
        assert plan(current, again) == []
