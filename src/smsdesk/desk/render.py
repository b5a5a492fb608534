"""Templates become pages. Whatever came from outside is escaped; a name that a template does not know is an error."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from litestar import MediaType, Response

from smsdesk.desk import filters
from smsdesk.desk.keys import key_groups
from smsdesk.desk.nav import links
from smsdesk.desk.static import static_url
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import languages, words

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(lang: str) -> jinja2.Environment:
    """The templates in one language: `_`, `gettext` and `ngettext` say its words."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        auto_reload=False,
    )
    env.install_gettext_translations(words(lang).translations, newstyle=True)  # type: ignore[attr-defined]
    env.globals |= {"static_url": static_url, "languages": languages()}
    env.filters |= filters.FILTERS
    return env


def page(visitor: Visitor, template: str, status: int = 200, **values: Any) -> Response[str]:
    """A whole page for somebody who is signed in. `here` among the values is the path of the navigation it is under."""
    around = {"nav": links(visitor), "keys": key_groups(visitor)}
    shown = {"here": "", **values, **around, "v": visitor, "w": visitor.words, "zone": visitor.zone}
    return html(visitor.words.lang, template, status, shown)


def fragment(visitor: Visitor, template: str, status: int = 200, **values: Any) -> Response[str]:
    """A part of a page, to be swapped in."""
    return html(
        visitor.words.lang, template, status, {**values, "v": visitor, "w": visitor.words, "zone": visitor.zone}
    )


def html(lang: str, template: str, status: int, values: Mapping[str, Any]) -> Response[str]:
    """A template with these values, for anybody."""
    env = environment(lang)
    said = env.get_template(template).render({"lang": lang, "w": words(lang), **values})
    return Response(said, status_code=status, media_type=MediaType.HTML)
