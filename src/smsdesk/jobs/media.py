"""Fetches what came with replies, after the reply is on disk: a slow or broken server of files delays no text."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from structlog.typing import FilteringBoundLogger

from smsdesk.actions.claim_media import claim_media
from smsdesk.actions.settle_media import keep_media, postpone_media, refuse_media
from smsdesk.carriers.contract import MediaAccess
from smsdesk.carriers.registry import CARRIERS
from smsdesk.domain.media import HEAD, MB, MediaRefused, MediaType, content_key, sniff
from smsdesk.domain.media_clean import clean
from smsdesk.domain.tenant import TenantSettings
from smsdesk.media.contract import StoreAway
from smsdesk.media.fetch import Access, Limits, TryAgain, fetch
from smsdesk.media.stores import Stores
from smsdesk.setup.secrets import SecretMissing, resolve_all
from smsdesk.store import media as rows
from smsdesk.store.carriers import CarrierSetup
from smsdesk.store.db import Database
from smsdesk.store.media import ClaimedMedia
from smsdesk.store.tenants import read_tenant

AT_ONCE = 8
"""Files that are fetched side by side."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the job is given."""

    db: Database
    stores: Stores
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    random: Callable[[], float]
    log: FilteringBoundLogger


class MediaJob:
    """Fetches for all tenants. `run` is one round."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> None:
        """Fetches what is due, a few of each tenant; those that are left are due in the next round."""
        db = self._around.db
        async with db.connection() as conn:
            due = await rows.tenants_with_due(conn, self._around.clock())
        for tenant_id in due:
            claimed = await claim_media(db, tenant_id, self._around.clock(), AT_ONCE)
            async with db.connection() as conn:
                settings = (await read_tenant(conn, tenant_id)).settings
                lines = await rows.find_carriers(conn, tenant_id, [media.carrier_id for media in claimed])
            fetches = (self._fetch(tenant_id, settings, lines.get(media.carrier_id), media) for media in claimed)
            await asyncio.gather(*fetches)

    async def _fetch(
        self, tenant_id: int, settings: TenantSettings, line: CarrierSetup | None, media: ClaimedMedia
    ) -> None:
        """One file and its one end."""
        around, most = self._around, settings.media_most_mb * MB
        try:
            access = _access(line, around.environ)
            content = await fetch(media.url, access, Limits(most, settings.media_hosts_allowed))
            kind, cleaned = await asyncio.to_thread(_judge, content)
            key = content_key(tenant_id, cleaned)
            await around.stores.of(settings.media_store).put(key, cleaned)
        except MediaRefused as refused:
            around.log.info("media refused", tenant_id=tenant_id, media_id=media.media_id, why=str(refused))
            await refuse_media(around.db, tenant_id, media, str(refused), around.clock())
        except (TryAgain, StoreAway, SecretMissing) as trouble:
            around.log.warning("media not fetched", tenant_id=tenant_id, media_id=media.media_id, why=str(trouble))
            await postpone_media(around.db, tenant_id, media, str(trouble), around.clock(), around.random())
        else:
            await keep_media(around.db, tenant_id, media, (kind, key, len(cleaned)), around.clock())


def _judge(content: bytes) -> tuple[MediaType, bytes]:
    kind = sniff(content[:HEAD])
    return kind, clean(content, kind)


def _access(line: CarrierSetup | None, environ: Mapping[str, str]) -> Access:
    """The carrier's own key to its files. Raises SecretMissing."""
    kind = CARRIERS.get(line.type) if line else None
    if line is None or kind is None or kind.media is None:
        return Access("")
    own: MediaAccess = kind.media(msgspec.convert(resolve_all(line.config, environ), kind.Config))
    return Access(own.base_url, own.headers)
