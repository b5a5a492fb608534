"""The contact center of the scenes as a set-up file: its queues, numbers and agents."""

from datetime import datetime
from typing import Any

from tests.kit.api import OURS

DIRECT, PICTURES, OVER_HTTP = "+16285550110", "+16285550111", "+16285550112"
"""Numbers of ours: an agent's own, one whose carrier takes pictures, and one over the same carrier with the menu."""
DESKS = ("billing", "orders", "espanol", "care", "auto", "teams", "all", "moves", "old", "pictures", "direct", "alone")
CLOSING, UNREAD = "Thank you for asking us.", "Nobody reads this number. Please call us."


def document(crm: str, twilio: str, callbacks: str, opens: datetime) -> dict[str, Any]:
    """The set-up file, with the addresses of the CRM, of the carrier for pictures, and of its way to us."""
    closed = {"hours": {"time_zone": "UTC", "week": {opens.strftime("%a").lower(): "09:00-17:00"}}}
    support = [
        {"name": "Billing", "keyword": "BILL", "survey": True, "texts": {"closing": CLOSING}},
        {"name": "Orders", "texts": {"greeting": "Orders: what may we look up?"}},
    ]
    desk = [{"name": "Moves", "keyword": "MOVES", "texts": {"greeting": "Let us move you."}}]
    return {
        "tenant": "acme",
        "settings": {
            "company_name": "Acme", "sessionless_reply": UNREAD, "default_queue": "Support/Orders",
            "crm": {"type": "generic", "url": crm, "secret": {"env": "CRM_SECRET"}},
        },
        "carriers": [{"name": "twilio", "type": "twilio", "account_sid": "AC" + "0" * 32, "base_url": twilio,
                      "auth_token": {"env": "TWILIO_TOKEN"}, "callback_url": callbacks}],
        "queues": [
            {"name": "Support", "children": support},
            {"name": "Care", "keyword": "CARE", "survey": True},
            {"name": "Español", "keyword": "ESPANOL", "lang": "es", "hidden": True},
            {"name": "Auto", "keyword": "AUTO", "auto_answer": True},
            {"name": "Teams", "keyword": "TEAMS", "routing": "cascade", "groups": [{"name": "Seniors"}]},
            {"name": "All", "keyword": "ALL", "routing": "multicast"},
            {"name": "Desk", "children": desk},
            {"name": "Old", "keyword": "OLD"},
            {"name": "Alone", "keyword": "ALONE"},
            {"name": "Pictures"},
            {"name": "Night", "keyword": "NIGHT", **closed},
            {"name": "Shut", "keyword": "SHUT", "after_hours": "close", **closed},
        ],
        "numbers": [
            {"number": OURS, "queue": "Support"},
            {"number": PICTURES, "carrier": "twilio", "queue": "Pictures"},
            {"number": OVER_HTTP, "carrier": "twilio", "queue": "Support"},
            {"number": DIRECT, "carrier": "upstream", "agent": "direct-1@foo.com"},
        ],
        "agents": [
            *(_agent(desk, number) for desk in DESKS for number in (1, 2)),
            {"email": "boss@foo.com", "first_name": "The", "last_name": "Boss", "agent_number": 900,
             "avatar_url": "https://foo.com/boss.png", "role": "supervisor"},
        ],
    }  # fmt: skip


def _agent(desk: str, number: int) -> dict[str, Any]:
    queue = {"espanol": "Español", "direct": None}.get(desk, desk.title())
    agent_number = 10 * DESKS.index(desk) + number
    return {
        "email": f"{desk}-{number}@foo.com", "first_name": desk.title(), "last_name": f"Agent {agent_number}",
        "agent_number": agent_number, "avatar_url": f"https://foo.com/{desk}-{number}.png",
        "queues": [queue] if queue else [],
    }  # fmt: skip
