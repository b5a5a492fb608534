-- Pictures, films and other files of chats. Their octets are kept elsewhere, under content_key.

create table media (
    tenant_id bigint not null,
    chat_id bigint not null,
    media_id bigint not null,
    -- What it came with or went with; null for an upload that was not sent yet.
    message_id bigint,
    position smallint not null default 0,
    direction text not null check (direction in ('in', 'out')),
    -- How one of ours went: by MMS, or as a link in the words of its message.
    sent_as text check (sent_as in ('mms', 'link')),
    -- `wanted`: the carrier has it, and it is to be fetched.
    state text not null check (state in ('wanted', 'kept', 'refused')),
    kind text check (kind in ('photo', 'video', 'audio', 'file')),
    content_type text,
    content_key text,
    size bigint,
    name text not null default '',
    -- Whose password opens the address that it is fetched from. Both go once it is kept.
    carrier_id bigint,
    source_url text,
    -- Why it is refused, or why the last try failed: words for people.
    reason text,
    attempt smallint not null default 0,
    due_at timestamptz,
    created_at timestamptz not null,
    state_at timestamptz not null,
    primary key (tenant_id, chat_id, media_id),
    foreign key (tenant_id, chat_id, message_id) references messages,
    check ((state = 'wanted') = (due_at is not null and source_url is not null)),
    check ((state = 'kept') = (content_key is not null and content_type is not null and kind is not null))
);
create index media_due on media (tenant_id, due_at) where state = 'wanted';
create index media_outgoing on media (tenant_id, message_id) where sent_as = 'mms';

-- What the links to a tenant's files are signed with. Another key makes all links that were given out worthless.
create table media_keys (
    tenant_id bigint primary key references tenants,
    key bytea not null default sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea)
);
