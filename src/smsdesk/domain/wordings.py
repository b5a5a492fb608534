"""What the system says by itself: the texts that a queue sends where it has none of its own, and what is filled in.

All of them keep to the GSM 7-bit alphabet, and so to one part with a name of ordinary length. It has é, ñ and ¿ but no
á, í, ó, ú: the Spanish texts choose words without them.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from smsdesk.domain.hours import next_open, read_zone
from smsdesk.domain.queue_settings import QueueSettings

VARIABLES = (
    "COMPANY_NAME", "END_USER", "QUEUE_NAME", "QUEUE", "EWT_minutes", "NEXT_REOPEN_HOUR", "TIME_UNTIL_DISMISSAL",
    "AGENT_NAME", "AGENT_ID", "MENU",
)  # fmt: skip
"""What may stand in a text as `@{NAME}`: the imitated product's names, and ours for the agent and the menu."""

_ENGLISH = {
    "greeting": "@{COMPANY_NAME}: Thanks for your text. Recurring messages. Msg & data rates may apply. "
                "Reply HELP for help, STOP to opt out.",
    "menu": "Reply with a number:\n@{MENU}",
    "not_understood": "Sorry, that is not on the list.",
    "after_hours": "@{COMPANY_NAME}: We are closed now. We open again at @{NEXT_REOPEN_HOUR}.",
    "hold": "Thanks for waiting. The next agent who is free will answer you.",
    "closing": "",
    "exit": "You have left the conversation. Text us again at any time.",
    "dismissed": "Welcome back. An agent will go on with your conversation soon.",
    "resumed": "",
    "expired": "Sorry, nobody was free to answer you. Please text us again later.",
    "timeout": "We have closed this conversation, as we had no answer from you. Text us again at any time.",
    "survey": "@{COMPANY_NAME}: How was your conversation with us? Reply with a number from 1 (bad) to 5 (very good).",
    "survey_thanks": "Thank you for your answer.",
}  # fmt: skip
_SPANISH = {
    "greeting": "@{COMPANY_NAME}: Gracias por su mensaje. Mensajes recurrentes. Pueden aplicarse tarifas de mensajes y "
                "datos. Responda HELP para ayuda, STOP para cancelar.",
    "menu": "Responda con una cifra:\n@{MENU}",
    "not_understood": "Lo sentimos, eso no figura en la lista.",
    "after_hours": "@{COMPANY_NAME}: Ahora estamos cerrados. Volvemos a abrir: @{NEXT_REOPEN_HOUR}.",
    "hold": "Gracias por su paciencia. Le responde el primer agente que quede libre.",
    "closing": "",
    "exit": "Ha dejado la consulta. Puede escribirnos de nuevo cuando quiera.",
    "dismissed": "Hola de nuevo. Un agente sigue en breve con su consulta.",
    "resumed": "",
    "expired": "Lo sentimos, nadie ha podido atenderle. Vuelva a escribirnos luego.",
    "timeout": "Hemos cerrado la consulta porque no tenemos respuesta suya. Puede escribirnos de nuevo cuando quiera.",
    "survey": "@{COMPANY_NAME}: ¿Qué le ha parecido nuestra respuesta? Conteste con una cifra de 1 (mala) a 5 "
              "(muy buena).",
    "survey_thanks": "Gracias por su respuesta.",
}  # fmt: skip
_MONTHS = (
    ("January", "enero"), ("February", "febrero"), ("March", "marzo"), ("April", "abril"), ("May", "mayo"),
    ("June", "junio"), ("July", "julio"), ("August", "agosto"), ("September", "septiembre"), ("October", "octubre"),
    ("November", "noviembre"), ("December", "diciembre"),
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))
_SPANISH_UNITS = ((60, "hora"), (1, "minuto"))
_VARIABLE = re.compile(r"@\{(\w+)\}")


def template_of(settings: QueueSettings, name: str, lang: str) -> str:
    """A queue's text of this name (of TEXTS): its own, else ours in the language, English where we have none in it.
    Empty where nothing is to be sent."""
    own = settings.texts.get(name)
    return (_SPANISH if _is_spanish(lang) else _ENGLISH)[name] if own is None else own


def fill(template: str, variables: Mapping[str, str], lang: str = "en") -> str:
    """The text with the values in the places of its variables.

    A variable of VARIABLES that has no value here is a word that fits any sentence, or nothing; an unknown one stays as
    it is written. Values are put in as they are: one that looks like a variable is none.
    """
    known = {**dict.fromkeys(VARIABLES, ""), **_unknown(lang), **variables}
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), template)


def of_queue(settings: QueueSettings, now: datetime, lang: str) -> dict[str, str]:
    """The values of the variables that follow from a queue's settings alone; those that have none are missing."""
    values = {
        "TIME_UNTIL_DISMISSAL": _tell_minutes(settings.dismissal_minutes, lang),
        "NEXT_REOPEN_HOUR": _tell_reopening(settings, now, lang),
    }
    return {name: value for name, value in values.items() if value}


def _tell_reopening(settings: QueueSettings, now: datetime, lang: str) -> str:
    """When the queue is open next, by the clock of its place.

    It names the day, never "tomorrow": it may be read a day later, and says the same all the while that it is closed.
    """
    opens = next_open(settings.hours, now)
    if opens is None or settings.hours is None:
        return ""
    local = opens.astimezone(read_zone(settings.hours.time_zone))
    clock, zone = f"{local.hour % 12 or 12}:{local:%M}", local.tzname()
    month = _MONTHS[local.month - 1]
    if _is_spanish(lang):
        return f"{clock} {'a. m.' if local.hour < 12 else 'p. m.'} {zone} del {local.day} de {month[1]}"
    return f"{clock} {'AM' if local.hour < 12 else 'PM'} {zone} on {_WEEKDAYS[local.weekday()]}, {month[0]} {local.day}"


def _tell_minutes(minutes: int, lang: str) -> str:
    """In the largest unit that measures it: `2 hours`, `90 minutes`."""
    if not minutes:
        return ""
    units = _SPANISH_UNITS if _is_spanish(lang) else _UNITS
    length, unit = next((length, unit) for length, unit in units if minutes % length == 0)
    return f"{minutes // length} {unit}{'' if minutes == length else 's'}"


def _unknown(lang: str) -> dict[str, str]:
    """What stands for a value that is not known."""
    if _is_spanish(lang):
        return {"END_USER": "Cliente", "EWT_minutes": "unos", "NEXT_REOPEN_HOUR": "luego"}
    return {"END_USER": "Customer", "EWT_minutes": "a few", "NEXT_REOPEN_HOUR": "a later time"}


def _is_spanish(lang: str) -> bool:
    return lang.lower().split("-")[0] == "es"
