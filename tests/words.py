"""The desk's sentences for its translators: `make words` renews each `desk.po` under `desk/locale` from the code, the
pages, and what the forms of the set-up say by the docstrings of their settings."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from smsdesk.carriers.registry import CARRIERS
from smsdesk.crm.registry import CRMS
from smsdesk.desk.forms.configs import config_fields
from smsdesk.desk.forms.fields import words_of
from tests.desk.test_forms import every_form

DESK = Path(__file__).parents[1] / "src" / "smsdesk" / "desk"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trim_blocks": "true",
                                 "lstrip_blocks": "true"}}  # fmt: skip
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "say": None, "count": (1, 2)}


def said() -> Catalog:
    """Every sentence of the desk."""
    catalog = Catalog()
    for _file, _line, sentence, _comments, context in extract_from_dir(DESK, METHODS, OPTIONS, KEYWORDS):
        catalog.add(sentence, context=context)
    fields = [*every_form(), *(field for each in (*CARRIERS.values(), *CRMS.values())
                               for field in config_fields(each.Config))]  # fmt: skip
    for word in words_of(fields):
        catalog.add(word)
    return catalog


def path_of(lang: str) -> Path:
    """The catalogue of a language."""
    return DESK / "locale" / lang / "LC_MESSAGES" / "desk.po"


def translated(lang: str) -> Catalog:
    """What a language's catalogue has."""
    with path_of(lang).open("rb") as source:
        return read_po(source, locale=lang)


def renew(lang: str) -> list[str]:
    """Puts new sentences into a catalogue, takes out what nothing says any more; gives those without a translation."""
    before = translated(lang) if path_of(lang).exists() else Catalog(locale=lang)
    fresh = Catalog(locale=lang, charset="utf-8")
    for message in sorted((one for one in said() if one.id), key=lambda one: str(one.id)):
        known = before.get(message.id, message.context)
        fresh.add(message.id, known.string if known else None, context=message.context)
    path_of(lang).parent.mkdir(parents=True, exist_ok=True)
    with path_of(lang).open("wb") as target:
        write_po(target, fresh, width=120, omit_header=True)
    return [str(one.id) for one in fresh if one.id and not all(one.string if one.pluralizable else [one.string])]


if __name__ == "__main__":
    for folder in sorted((DESK / "locale").iterdir()):
        if folder.is_dir():
            print(f"{folder.name}: {len(renew(folder.name))} sentences have no translation")
