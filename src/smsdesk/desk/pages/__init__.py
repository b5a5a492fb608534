"""The screens, a file each: what is read for it, what can be done on it. Each route names the right that it takes, in
`opt`: one that names none lets nobody in."""

from smsdesk.desk import live
from smsdesk.desk.pages import (
    audit,
    board,
    developer,
    doubtful,
    health,
    oidc,
    outbound,
    password,
    profile,
    reports,
    search,
    second_factor,
    setup,
    sign_in,
    test_send,
    tokens,
    work,
)

PAGES = [
    *live.PAGES,
    *sign_in.PAGES,
    *oidc.PAGES,
    *second_factor.PAGES,
    *password.PAGES,
    *profile.PAGES,
    *work.PAGES,
    *outbound.PAGES,
    *setup.PAGES,
    *board.PAGES,
    *search.PAGES,
    *doubtful.PAGES,
    *reports.PAGES,
    *developer.PAGES,
    *tokens.PAGES,
    *audit.PAGES,
    *test_send.PAGES,
    *health.PAGES,
]
