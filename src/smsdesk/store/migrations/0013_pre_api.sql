-- The API around conversations: keys of writes, consumers with names, what was said as words to search for.

-- Writes of the API that carried an Idempotency-Key, in the transaction of what they wrote. Sends have their own
-- (idempotency_keys), which live as long as their message.
create table request_keys (
    tenant_id bigint not null,
    key text not null check (length(key) between 1 and 255),
    request_sha256 bytea not null,
    status smallint,
    content_type text,
    answer bytea,
    created_at timestamptz not null,
    primary key (tenant_id, key)
);
create index request_keys_by_time on request_keys (tenant_id, created_at) where created_at > '2000-01-01';

-- A person with two phones is two consumers, each with his own chats and his own consent: the one that was merged into
-- the other is known by that one's names.
alter table end_users add column merged_into bigint, add foreign key (tenant_id, merged_into) references end_users;
create unique index end_users_by_identifier on end_users (tenant_id, identifier) where identifier is not null;
create index end_users_merged on end_users (tenant_id, merged_into) where merged_into is not null;
create index end_users_by_time on end_users (tenant_id, created_at) where created_at > '2000-01-01';

-- What those are called of whom it is known; apart, for every send and reply reads end_users.
create table end_user_names (
    tenant_id bigint not null,
    end_user_id bigint not null,
    first_name text,
    last_name text,
    email text,
    primary key (tenant_id, end_user_id),
    foreign key (tenant_id, end_user_id) references end_users
);

-- Chats that somebody had, that waited somewhere, or that are about a ticket. What a plain send opens is in none of them.
create index chats_by_agent_and_time on chats (tenant_id, agent_id, created_at) where agent_id is not null;
create index chats_by_queue_and_time on chats (tenant_id, queue_id, created_at) where queue_id is not null;
create index chats_by_ticket on chats (tenant_id, ticket_id) where ticket_id is not null;
create index chats_by_end on chats (tenant_id, ends_at) where ends_at is not null;

-- The words of messages, written by a job a few seconds after them: no send waits for it. Each has the tenant among its
-- words, so that the index of all tenants finds those of one.
create table message_words (
    tenant_id bigint not null,
    chat_id bigint not null,
    message_id bigint not null,
    words tsvector not null,
    primary key (tenant_id, chat_id, message_id),
    foreign key (tenant_id, chat_id, message_id) references messages on delete cascade
);
create index message_words_found on message_words using gin (words);

-- How far that job is. Everything from `since` on is looked at again, for a transaction may bring something late.
create table word_marks (
    tenant_id bigint primary key references tenants,
    since timestamptz not null,
    next_since timestamptz not null
);
-- Always true, and named by the job alone: see chats_by_time.
create index messages_by_time on messages (tenant_id, created_at) where created_at > '2000-01-01';

-- Writes down the words of messages that have none yet, the oldest first: how many, at most `p_limit`. One process at a
-- time does it for a tenant. A message counts from when its transaction began, which may be minutes before it ended:
-- whatever is younger than the last mark but one is looked at again, and a mark is two minutes old at least.
create function index_words(p_tenant bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_mark word_marks;
    v_done int;
    v_latest timestamptz;
begin
    insert into word_marks (tenant_id, since, next_since)
    select t.tenant_id, '2000-01-01 00:00:01+00', p_now from tenants t where t.tenant_id = p_tenant
    on conflict do nothing;
    select * into v_mark from word_marks w where w.tenant_id = p_tenant for update skip locked;
    if not found then
        return 0;
    end if;
    with found as (
        select m.chat_id, m.message_id, m.body, m.created_at from messages m
        left join message_words w on w.tenant_id = p_tenant and w.chat_id = m.chat_id and w.message_id = m.message_id
        where m.tenant_id = p_tenant and m.created_at > '2000-01-01' and m.created_at >= v_mark.since
          and w.message_id is null
        order by m.created_at limit p_limit
    ), written as (
        insert into message_words (tenant_id, chat_id, message_id, words)
        select t.tenant_id, f.chat_id, f.message_id,
               to_tsvector('simple', f.body) || array_to_tsvector(array['t:' || p_tenant])
        from tenants t cross join found f where t.tenant_id = p_tenant
        on conflict do nothing
    )
    select count(*), max(created_at) into v_done, v_latest from found;
    if v_done = p_limit then
        update word_marks w set since = greatest(v_mark.since, least(v_latest, p_now - interval '4 minutes'))
        where w.tenant_id = p_tenant;
    elsif p_now - v_mark.next_since >= interval '2 minutes' then
        update word_marks w set since = v_mark.next_since, next_since = p_now where w.tenant_id = p_tenant;
    end if;
    return v_done;
end $$;
