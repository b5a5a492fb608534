"""Lists in pages, with the headers of the imitated product's older API: `total` and `link` (RFC 8288)."""

from dataclasses import dataclass

from litestar.datastructures import URL


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: pages count from 1."""

    page: int
    per: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per


def page_headers(url: URL, page: Page, total: int) -> dict[str, str]:
    """The headers `total` and `link` for a page of a list of `total`."""
    last = max(1, -(-total // page.per))
    numbers = {"first": 1, "last": last}
    if page.page > 1:
        numbers["prev"] = min(page.page - 1, last)
    if page.page < last:
        numbers["next"] = page.page + 1
    links = [f'<{_at(url, number, page.per)}>; rel="{rel}"' for rel, number in numbers.items()]
    return {"total": str(total), "link": ", ".join(links)}


def next_link(url: URL, last_id: int | None) -> dict[str, str]:
    """The header `link` to what comes behind an item, for a list that is not counted; nothing behind the last page."""
    if last_id is None:
        return {}
    query = url.query_params.copy()
    query["after"] = str(last_id)
    return {"link": f'<{url.with_replacements(query=query)}>; rel="next"'}


def _at(url: URL, number: int, per: int) -> str:
    query = url.query_params.copy()
    query["page"] = str(number)
    query["per"] = str(per)
    return str(url.with_replacements(query=query))
