"""The settings of queues: every one can be set, what cannot be is said where it stands, and nothing contradicts."""

from datetime import date
from typing import Any

import pytest

from smsdesk.domain.hours import Hours
from smsdesk.domain.queue_settings import NAMES, Group, QueueSettings
from smsdesk.domain.setup import State
from smsdesk.setup.plan import TenantPlan, plan, render
from smsdesk.setup.queue_settings import QUEUE_SETTINGS, effective_of
from smsdesk.setup.references import final
from smsdesk.store.queues import read_settings
from tests.setup.kit import judged

EXAMPLES: dict[str, tuple[str, Any]] = {
    "lang": ("es", "es"),
    "routing": ("cascade", "cascade"),
    "auto_answer": ("false", False),
    "offer_seconds": ("20", 20),
    "groups": ("[{name: A, percent: 60}, {name: B, percent: 40, seconds: 10}]", (Group("A", 60), Group("B", 40, 10))),
    "skills": ("[Spanish, Refunds]", ("Spanish", "Refunds")),
    "hours": (
        '{time_zone: America/New_York, week: {mon-fri: "09:00-17:00"}, holidays: {2026-12-25: closed}}',
        Hours(
            "America/New_York",
            dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "17:00"),)),
            {date(2026, 12, 25): ()},
        ),
    ),
    "after_hours": ("close", "close"),
    "texts": ("{greeting: Hola, hold: ''}", {"greeting": "Hola", "hold": ""}),
    "hold_seconds": ("60", 60),
    "queue_expiry_minutes": ("30", 30),
    "agent_silence_minutes": ("15", 15),
    "consumer_silence_minutes": ("720", 720),
    "dismissal_minutes": ("60", 60),
    "orphan_minutes": ("2", 2),
    "reply_to_closed": ("last_agent", "last_agent"),
    "survey": ("true", True),
    "survey_minutes": ("60", 60),
    "wrap_up_seconds": ("45", 45),
    "dispositions": ("[Billing/Refund, Billing/Other]", ("Billing/Refund", "Billing/Other")),
    "target_seconds": ("90", 90),
}
"""A value of each setting as a file has it, and as the server does."""


def good(text: str, current: State | None = None) -> State:
    """What stands once a file without mistakes is applied."""
    current = current or State("acme", 1)
    wanted = judged(f"tenant: acme\n{text}", current)
    assert [fault.line("f") for fault in wanted.faults] == []
    return State("acme", 1, final(current, wanted.items))


def mistakes(text: str, current: State | None = None) -> list[str]:
    """Where and what is wrong, without the lines."""
    faults = judged(f"tenant: acme\n{text}", current or State("acme", 1)).faults
    return list(dict.fromkeys(f"{fault.place.path}: {fault.says}" for fault in faults))


def settings_of(state: State, path: str) -> QueueSettings:
    """As the server reads what is stored."""
    return read_settings(effective_of(state, path))


def told(value: Any) -> Any:
    """A value; hours, whose lists may be of either kind, in a form that compares."""
    if not isinstance(value, Hours):
        return value
    days = [*value.week.items(), *value.holidays.items()]
    return value.time_zone, {day: [tuple(span) for span in spans] for day, spans in days}


def test_every_setting_has_a_reader_and_an_example() -> None:
    assert set(QUEUE_SETTINGS) == set(NAMES) == set(EXAMPLES)


@pytest.mark.parametrize(
    "where", ["queues: [{{name: A, {}}}]", "settings: {{queue_defaults: {{{}}}}}\nqueues: [{{name: A}}]"]
)
def test_every_setting_is_as_the_file_says_for_a_queue_and_for_all(where: str) -> None:
    written = ", ".join(f"{name}: {value}" for name, (value, _) in EXAMPLES.items())
    settings = settings_of(good(where.format(written)), "A")
    for name, (_, value) in EXAMPLES.items():
        assert (name, told(getattr(settings, name))) == (name, told(value))


def test_a_queue_has_what_is_above_it_one_by_one() -> None:
    state = good(
        "settings:\n  time_zone: America/Chicago\n"
        "  queue_defaults: {lang: es, survey: true, texts: {hold: all, exit: all}}\n"
        "queues:\n"
        "  - name: Support\n"
        '    survey: false\n    hours: {week: {mon: "09:00-12:00"}}\n    texts: {exit: Support, menu: Support}\n'
        "    children: [{name: Billing, texts: {menu: ''}}, {name: Urgent, hours: always}]\n"
        "  - {name: Sales}\n"
    )
    billing, sales = settings_of(state, "Support/Billing"), settings_of(state, "Sales")
    assert (billing.lang, billing.survey, sales.survey) == ("es", False, True)
    assert billing.texts == {"hold": "all", "exit": "Support", "menu": ""}
    assert sales.texts == {"hold": "all", "exit": "all"}
    assert billing.hours is not None
    assert billing.hours.time_zone == "America/Chicago"
    assert settings_of(state, "Support/Urgent").hours is None
    assert sales.hours is None


def test_a_file_changes_only_the_texts_and_defaults_that_it_names() -> None:
    first = good(
        "settings: {queue_defaults: {lang: es, survey: true, texts: {hold: A, exit: B}}}\n"
        "queues: [{name: Q, lang: en, texts: {greeting: Hi, menu: M}}]"
    )
    second = good(
        "settings: {queue_defaults: {survey: null, texts: {exit: null, closing: C}}}\n"
        "queues: [{name: Q, texts: {greeting: Hello}}]",
        first,
    )
    assert second.things["settings", ""]["queue_defaults"] == {"lang": "es", "texts": {"hold": "A", "closing": "C"}}
    assert second.things["queue", "Q"]["texts"] == {"greeting": "Hello", "menu": "M"}
    third = good("settings: {queue_defaults: null}\nqueues: [{name: Q, lang: null, texts: null}]", second)
    assert settings_of(third, "Q") == QueueSettings()


def test_changes_of_texts_and_hours_are_shown_one_by_one() -> None:
    state = good('queues: [{name: Q, texts: {greeting: Hi, menu: M}, hours: {week: {mon-fri: "09:00-17:00"}}}]')
    wanted = judged(
        'tenant: acme\nqueues:\n  - name: Q\n    texts: {greeting: "Hello\\nyou", menu: null}\n'
        '    hours: {time_zone: UTC, week: {mon-fri: ["09:00-12:00", "13:00-17:00"], sun: "00:00-24:00"}, '
        "holidays: {2026-12-25: closed}}\n",
        state,
    )
    assert render(TenantPlan(state, tuple(plan(state, wanted))))[2:-1] == [
        '      texts.greeting: "Hi" -> "Hello\\nyou"',
        '      texts.menu: "M" -> null',
        "      hours: mon-fri 09:00-17:00 -> "
        "mon-fri 09:00-12:00 and 13:00-17:00, sun 00:00-24:00, 2026-12-25 closed (UTC)",
    ]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("lang: English", '.lang: "English" is no language'),
        ("routing: random", ".routing: must be one of deltacast, multicast, cascade, percent_allocation"),
        ("auto_answer: 1", ".auto_answer: must be true or false"),
        ("offer_seconds: 4", ".offer_seconds: must be a whole number from 5 to 600"),
        ("groups: [{name: A}, {name: A}]", ".groups: two groups have one name"),
        ("groups: [{percent: 5}]", ".groups[0]: has no name"),
        ("groups: [{name: A, percent: 101}]", ".groups[0].percent: must be a whole number from 0 to 100"),
        ("skills: [A, A]", ".skills[1]: stands here twice"),
        ("texts: {greting: Hi}", '.texts.greting: there is no key "greting" here. Did you mean "greeting"?'),
        ("texts: {menu: '@{QUEU_NAME}'}", '.texts.menu: there is no variable @{QUEU_NAME}. Did you mean "QUEUE_NAME"?'),
        (f"texts: {{menu: {'x' * 1531}}}", ".texts.menu: has 1531 characters: at most 1530"),
        (f"texts: {{menu: {'é' * 1400 + '✓'}}}", ".texts.menu: has 21 parts on the air: at most 10"),
        ("hold_seconds: 0", ".hold_seconds: must be a whole number from 1 to 86400"),
        ("dismissal_minutes: 10081", ".dismissal_minutes: must be a whole number from 0 to 10080"),
        ("dispositions: [Billing/]", '.dispositions[0]: "Billing/" has an empty part'),
        ("hours: sometimes", ".hours: must be one of always"),
        ("hours: {time_zone: UTC}", ".hours: has no `week`"),
        ("hours: {time_zone: EST5, week: {mon: '09:00-17:00'}}", '.hours.time_zone: "EST5" is no time zone'),
        ("hours: {week: {mo: '09:00-17:00'}}", '.hours.week.mo: "mo" is no day. Did you mean "mon"?'),
        ("hours: {week: {mon-fri: '09:00-17:00', wed: closed}}", ".hours.week.wed: wed stands here twice"),
        ("hours: {week: {mon: 9-5}}", '.hours.week.mon: "9" is no time of day'),
        ("hours: {week: {mon: all day}}", '.hours.week.mon: "all day" is no opening time'),
        ("hours: {week: {mon: closed}}", ".hours.week: opens at no time"),
        ("hours: {week: {mon: '24:00-09:00'}}", ".hours.week.mon: 24:00 is the end of a day"),
        (
            "hours: {week: {mon: '09:00-17:00'}, holidays: {Christmas: closed}}",
            '.hours.holidays.Christmas: "Christmas" is no date: write it as 2026-12-25',
        ),
        ("auto_answer: true, routing: multicast", ".auto_answer: auto_answer goes with routing: deltacast only"),
        ("routing: cascade", ".routing: routing: cascade needs groups"),
        (
            "routing: percent_allocation, groups: [{name: A, percent: 99}]",
            ".groups: the percent of all groups come to 99",
        ),
        ("dismissal_minutes: 1441", ".dismissal_minutes: dismissal_minutes is above consumer_silence_minutes"),
        ("move_chats_to: Sales", ": stays, so that its chats stay in it"),
    ],
)
def test_what_cannot_be_is_said_where_it_stands(setting: str, says: str) -> None:
    [mistake] = mistakes(f"queues: [{{name: A, {setting}}}]")
    assert mistake.startswith(f"queues[0]{says}")


def test_what_goes_together_only_without_what_is_above_is_said_where_it_was_changed() -> None:
    state = good(
        "settings: {queue_defaults: {routing: deltacast}}\n"
        "queues:\n  - {name: Support, children: [{name: Billing, auto_answer: true}]}\n"
        "  - {name: Sales, dismissal_minutes: 60}"
    )
    assert mistakes("settings: {queue_defaults: {routing: multicast}}", state) == [
        "settings.queue_defaults: auto_answer goes with routing: deltacast only, and this is multicast"
    ]
    assert mistakes("queues: [{name: Support, routing: multicast}]", state) == [
        "queues[0].routing: auto_answer goes with routing: deltacast only, and this is multicast"
    ]
    assert mistakes("settings: {queue_defaults: {consumer_silence_minutes: 30}}", state)[0].startswith(
        "settings.queue_defaults: dismissal_minutes is above"
    )
    assert mistakes("settings: {queue_defaults: {consumer_silence_minutes: 0}}", state) == []


def test_the_words_of_the_menu_are_no_queues() -> None:
    state = good("queues: [{name: Back office, keyword: OFFICE}, {name: Zurück}]")
    reserved = "is reserved: a consumer who texts it means STOP, START, HELP or a way through the menu"
    assert mistakes("queues: [{name: Back}, {name: A, keyword: exit!}]") == [
        f'queues[0].name: "Back" {reserved}',
        f'queues[1].keyword: "exit!" {reserved}',
    ]
    assert mistakes("settings: {back_word: office}", state) == [
        'settings.back_word: "office" is the keyword of the queue Back office: use another'
    ]
    assert mistakes("settings: {exit_word: zuruck}", state) == [
        'settings.exit_word: "zuruck" is the name of the queue Zurück: use another'
    ]
    assert mistakes("settings: {back_word: VOLVER}\nqueues: [{name: Back}]") == []
    assert mistakes("settings: {back_word: exit}") == [
        'settings.back_word: "exit" would be the word for back and for exit: use another'
    ]


def test_the_queue_that_makes_itself_is_no_part_of_a_set_up() -> None:
    [mistake] = mistakes("queues: [{name: Supervisors}]")
    assert mistake.startswith('queues[0].name: "Supervisors" is the queue of what belongs to no other')
    assert mistakes("queues: [{name: Support, children: [{name: Supervisors}]}]") == []


def test_the_default_queue_is_a_leaf_that_stays() -> None:
    queues = "queues: [{name: Support, children: [{name: Billing}]}]"
    assert mistakes(f"settings: {{default_queue: Support}}\n{queues}") == [
        'settings.default_queue: "Support" has queues below it: chats wait in leaves, such as Support/Billing'
    ]
    state = good(f"settings: {{default_queue: Billing}}\n{queues}")
    assert state.things["settings", ""]["default_queue"] == "Support/Billing"
    assert mistakes("queues: [{name: Support, deleted: true}]", state) == [
        "queues[0]: it is the default_queue of the settings: give them another, or null"
    ]
    [mistake] = mistakes("queues: [{name: Support, children: [{name: Billing, children: [{name: Paper}]}]}]", state)
    assert mistake.startswith("queues[0].children[0].children[0]: Support/Billing is the default_queue")
    assert mistakes("settings: {default_queue: null}\nqueues: [{name: Support, deleted: true}]", state) == []


def test_where_chats_of_a_deleted_queue_go_is_a_leaf_that_stays() -> None:
    state = good("queues: [{name: A, children: [{name: B}, {name: C}]}, {name: D}]")
    assert mistakes("queues: [{name: A, children: [{name: B, deleted: true, move_chats_to: C}]}]", state) == []
    for goal, says in (("A/B", "there is no queue"), ("E", "there is no queue"), ("A", "has queues below it")):
        [mistake] = mistakes(
            f"queues: [{{name: A, children: [{{name: B, deleted: true, move_chats_to: {goal}}}]}}]", state
        )
        assert mistake.startswith("queues[0].children[0].move_chats_to: ")
        assert says in mistake
    [mistake] = mistakes("queues: [{name: A, deleted: true, move_chats_to: C}]", state)
    assert "there is no queue" in mistake
