-- Conversations: the life of a chat, who is asked to take it, what time does to it.

alter table chats drop constraint chats_status_check, drop constraint chats_check;
alter table chats
    add constraint chats_status_check check (status in (
        'selecting', 'queued', 'assigned', 'ongoing', 'dismissed', 'resumed', 'transferred',
        'finished', 'failed', 'abandoned')),
    add constraint chats_check check ((ends_at is null) = (status not in ('finished', 'failed', 'abandoned'))),
    -- Null is the seed's word, for what a send of the API began.
    add column chat_type text,
    -- When the present status began; null is the beginning of the chat. What was before stands in `spans`.
    add column since timestamptz,
    add column span_count int not null default 0,
    -- The menu that the consumer was shown last, and how often he chose something that it has not.
    add column menu_id bigint,
    add column menu_tries smallint not null default 0,
    add column end_user_said_at timestamptz,
    add column agent_said_at timestamptz,
    add column previous_chat_id bigint,
    -- Who is asked before all others.
    add column preferred_agent_id bigint,
    -- While it waits: when agents are to be asked for it, or asked again.
    add column ask_at timestamptz,
    add column offer_type text,
    add column answer_type text not null default 'manual' check (answer_type in ('manual', 'auto')),
    add column rating smallint check (rating between 1 and 5),
    add column feedback text,
    add column verified boolean not null default false;
create index chats_by_agent on chats (tenant_id, agent_id) where ends_at is null and agent_id is not null;
-- What an agent has to do: of a campaign in his name only what was answered.
create index chats_answered on chats (tenant_id, agent_id) where ends_at is null and end_user_said_at is not null;
create index chats_waiting on chats (tenant_id, queue_id, since)
    where status in ('queued', 'resumed', 'transferred');
create index chats_of_end_user on chats (tenant_id, end_user_id, ends_at) where ends_at is not null;

-- What a chat was before: its spans and its present status cover its life without a gap.
create table spans (
    tenant_id bigint not null,
    chat_id bigint not null,
    number int not null,
    status text not null,
    agent_id bigint,
    queue_id bigint,
    started_at timestamptz not null,
    ended_at timestamptz not null check (ended_at >= started_at),
    primary key (tenant_id, chat_id, number),
    foreign key (tenant_id, chat_id) references chats
);

-- What happens to a chat by itself, and when. A timer is taken out in the transaction that obeys it: it fires once.
create table timers (
    tenant_id bigint not null,
    chat_id bigint not null,
    kind text not null check (kind in ('queue_expiry', 'hold', 'agent_silence', 'consumer_silence', 'dismissal',
                                       'survey', 'wrap_up', 'verification')),
    due_at timestamptz not null,
    primary key (tenant_id, chat_id, kind),
    foreign key (tenant_id, chat_id) references chats
);
create index timers_due on timers (tenant_id, due_at) where due_at > '2000-01-01';

-- Its condition is always true, as that of chats_by_time is, and for the same reason: the rows have become wider.
alter table end_users drop constraint end_users_tenant_id_number_key;
create unique index end_users_by_number on end_users (tenant_id, number) where number > '';

-- A queue's own settings, and what they come to with those of the queues above it and of the tenant.
alter table queues
    add column settings jsonb not null default '{}',
    add column effective jsonb not null default '{}',
    add column purpose text check (purpose = 'supervisors');
create unique index queues_by_purpose on queues (tenant_id, purpose) where purpose is not null;
create index queues_by_parent on queues (tenant_id, parent_id, position) where deleted_at is null;

-- A number whose texts belong to one agent, without a queue.
alter table numbers add column agent_id bigint, add foreign key (tenant_id, agent_id) references agents;

alter table agents
    add column max_chats smallint check (max_chats > 0),
    add column skills text[] not null default '{}';
-- Its condition is always true, as that of chats_by_time is, and for the same reason.
drop index agents_by_email;
create unique index agents_by_email on agents (tenant_id, lower(email)) where email > '';

-- Whether an agent works, and how much he has: what routing reads. `ready` of his places follows from it.
create table agent_statuses (
    tenant_id bigint not null,
    agent_id bigint not null,
    status text not null,
    reason text,
    since timestamptz not null,
    -- Who has waited longest is asked first.
    idle_since timestamptz not null,
    -- Until when his desk is known to be there; null where none says so.
    present_until timestamptz,
    load smallint not null default 0,
    -- He can be asked. It stands here too, for whoever locks this row must see what was decided last.
    ready boolean not null default false,
    -- Logged out by somebody while he had work: he goes offline when it is done, and is asked for no more.
    leaving boolean not null default false,
    primary key (tenant_id, agent_id),
    foreign key (tenant_id, agent_id) references agents
) with (fillfactor = 70);
create index agent_statuses_present on agent_statuses (tenant_id, present_until) where present_until is not null;

create table agent_status_history (
    tenant_id bigint not null,
    agent_id bigint not null,
    at timestamptz not null,
    status text not null,
    reason text,
    primary key (tenant_id, agent_id, at, status),
    foreign key (tenant_id, agent_id) references agents
);

-- An agent's place in a queue. The index is the answer to "who is asked next", however many there are.
alter table agent_queues
    add column group_number smallint not null default 1,
    add column ready boolean not null default false,
    add column idle_since timestamptz not null default '2000-01-01';
create index agent_queues_ready on agent_queues (tenant_id, queue_id, group_number, idle_since, agent_id) where ready;

-- Who was asked to take a chat, and what he said. `reserves`: it counts as one of the agent's chats while it is open.
create table offers (
    tenant_id bigint not null,
    chat_id bigint not null,
    offer_id bigint not null,
    agent_id bigint not null,
    cast_number int not null,
    reserves boolean not null,
    state text not null default 'open' check (state in ('open', 'accepted', 'declined', 'missed', 'withdrawn')),
    offered_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, chat_id, offer_id),
    foreign key (tenant_id, chat_id) references chats,
    foreign key (tenant_id, agent_id) references agents
);
create unique index offers_open on offers (tenant_id, chat_id, agent_id) where state = 'open';
create index offers_of_agent on offers (tenant_id, agent_id) where state = 'open';
create index offers_expiring on offers (tenant_id, expires_at) where state = 'open';

-- Each time that agents were asked for a chat: `offer_events` of the chat.
create table casts (
    tenant_id bigint not null,
    chat_id bigint not null,
    number int not null,
    at timestamptz not null,
    group_number smallint,
    group_name text,
    primary key (tenant_id, chat_id, number),
    foreign key (tenant_id, chat_id) references chats
);

create table transfers (
    tenant_id bigint not null,
    chat_id bigint not null,
    transfer_id bigint not null,
    kind text not null check (kind in ('cold', 'warm')),
    status text not null check (status in ('transferring', 'connected', 'cancelled', 'failed')),
    fail_reason text not null default 'nothing',
    created_at timestamptz not null,
    connected_at timestamptz,
    ended_at timestamptz,
    from_agent_id bigint,
    to_agent_id bigint,
    from_queue_id bigint,
    to_queue_id bigint,
    note text not null default '',
    primary key (tenant_id, chat_id, transfer_id),
    foreign key (tenant_id, chat_id) references chats
);
create unique index transfers_open on transfers (tenant_id, chat_id) where status = 'transferring';

-- An agent's work after the chat.
create table wrap_ups (
    tenant_id bigint not null,
    chat_id bigint not null,
    agent_id bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    disposition text,
    notes text not null default '',
    primary key (tenant_id, chat_id, agent_id),
    foreign key (tenant_id, chat_id) references chats
);
create index wrap_ups_open on wrap_ups (tenant_id, agent_id) where ended_at is null;

-- The question how it was, and what came of it.
create table surveys (
    tenant_id bigint not null,
    chat_id bigint not null,
    asked_at timestamptz not null,
    expires_at timestamptz not null,
    answered_at timestamptz,
    primary key (tenant_id, chat_id),
    foreign key (tenant_id, chat_id) references chats
);

-- A one-time code that a consumer is to send back.
create table verifications (
    tenant_id bigint not null,
    chat_id bigint not null,
    -- The text with the code in it: people read it without.
    message_id bigint not null,
    code_sha256 bytea not null,
    sent_at timestamptz not null,
    expires_at timestamptz not null,
    tries smallint not null default 0,
    verified_at timestamptz,
    primary key (tenant_id, chat_id),
    foreign key (tenant_id, chat_id) references chats
);

alter table participants
    drop constraint participants_status_check,
    add constraint participants_status_check check (status in ('waiting', 'connected', 'monitoring', 'finished')),
    add column role text not null default 'agent' check (role in ('agent', 'supervisor'));
create index participants_present on participants (tenant_id, user_id) where ended_at is null and user_id is not null;

-- A note is read at the desk and never sent.
alter table messages drop constraint messages_sender_check,
    add constraint messages_sender_check check (sender in ('api', 'agent', 'system', 'end_user', 'note'));

-- What is to be told to the CRM, or asked from it.
create table crm_jobs (
    tenant_id bigint not null,
    job_id bigint not null,
    chat_id bigint not null,
    kind text not null check (kind in ('contact', 'link', 'transcript')),
    state text not null default 'queued' check (state in ('queued', 'done', 'failed')),
    due_at timestamptz not null,
    attempt smallint not null default 0,
    reason text,
    created_at timestamptz not null,
    done_at timestamptz,
    primary key (tenant_id, job_id),
    foreign key (tenant_id, chat_id) references chats
);
create index crm_jobs_due on crm_jobs (tenant_id, due_at) where state = 'queued';

-- What people read of a message: a one-time code is for the consumer's eyes alone.
create function shown_body(p_tenant bigint, p_chat bigint, p_message bigint, p_body text) returns text
language sql stable
as $$
    select case when exists (
               select from verifications v
               where v.tenant_id = p_tenant and v.chat_id = p_chat and v.message_id = p_message
           ) then regexp_replace(p_body, '[0-9]{6}', '******') else p_body end
$$;

-- Whether the number must not be texted from this number of ours.
create function opted_out(p_tenant bigint, p_number text, p_source text) returns boolean
language sql stable
as $$
    select exists (select from opt_outs o where o.tenant_id = p_tenant and o.number = p_number)
$$;

-- What an agent has and whether he is asked, worked out from what stands; nothing is counted up and down. His row is
-- locked: of two transactions that change what he has, the later sees what the earlier did.
create function refresh_agent(p_tenant bigint, p_agent bigint, p_now timestamptz) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_agent agents;
    v_before agent_statuses;
    v_load int;
    v_ready boolean;
    v_idle timestamptz;
begin
    insert into agent_statuses (tenant_id, agent_id, status, since, idle_since)
    values (p_tenant, p_agent, 'offline', p_now, p_now) on conflict do nothing;
    select * into v_before from agent_statuses s where s.tenant_id = p_tenant and s.agent_id = p_agent for no key update;
    select * into v_agent from agents a where a.tenant_id = p_tenant and a.agent_id = p_agent;

    if v_agent.role in ('supervisor', 'administrator') then
        insert into agent_queues (tenant_id, agent_id, queue_id)
        select p_tenant, p_agent, q.queue_id from queues q where q.tenant_id = p_tenant and q.purpose is not null
        on conflict do nothing;
    else
        delete from agent_queues p where p.tenant_id = p_tenant and p.agent_id = p_agent and p.queue_id in (
            select q.queue_id from queues q where q.tenant_id = p_tenant and q.purpose is not null);
    end if;

    -- An outbound chat whose consumer has said nothing is no work yet.
    select (select count(*) from chats c
            where c.tenant_id = p_tenant and c.agent_id = p_agent and c.agent_id is not null and c.ends_at is null
              and c.status in ('assigned', 'ongoing') and c.end_user_said_at is not null)
         + (select count(*) from offers o
            where o.tenant_id = p_tenant and o.agent_id = p_agent and o.state = 'open' and o.reserves)
         + (select count(*) from wrap_ups w
            where w.tenant_id = p_tenant and w.agent_id = p_agent and w.ended_at is null)
    into v_load;
    if v_before.leaving and v_load = 0 then
        update agent_statuses s set status = 'offline', reason = 'logged out', since = p_now, leaving = false
        where s.tenant_id = p_tenant and s.agent_id = p_agent;
        insert into agent_status_history (tenant_id, agent_id, at, status, reason)
        values (p_tenant, p_agent, p_now, 'offline', 'logged out') on conflict do nothing;
    end if;
    v_ready := v_agent.disabled_at is null and v_before.status = 'available' and not v_before.leaving
        and (v_before.present_until is null or v_before.present_until > p_now)
        and v_load < coalesce(v_agent.max_chats, (
            select (t.settings ->> 'chats_per_agent')::int from tenants t where t.tenant_id = p_tenant), 3);
    v_idle := case when v_load <> v_before.load or v_before.since = p_now then p_now else v_before.idle_since end;

    if (v_load, v_idle, v_ready) is distinct from (v_before.load::int, v_before.idle_since, v_before.ready) then
        update agent_statuses s set load = v_load, idle_since = v_idle, ready = v_ready
        where s.tenant_id = p_tenant and s.agent_id = p_agent;
    end if;
    update agent_queues p set ready = w.ready, idle_since = v_idle
    from (
        select q.queue_id, v_ready and q.deleted_at is null and v_agent.skills @> array(
                   select jsonb_array_elements_text(coalesce(q.effective -> 'skills', '[]'))) as ready
        from agent_queues m join queues q on q.tenant_id = p_tenant and q.queue_id = m.queue_id
        where m.tenant_id = p_tenant and m.agent_id = p_agent
    ) w
    where p.tenant_id = p_tenant and p.agent_id = p_agent and p.queue_id = w.queue_id
      and (p.ready, p.idle_since) is distinct from (w.ready, v_idle) and (p.ready or w.ready);
end $$;

-- The one door through which a chat changes its status; false where it has ended. Which changes there are is told by
-- `domain/chat_life.py`. The row of the chat is locked before those of agents, and those in the order of their ids.
create function move_chat(
    p_tenant bigint, p_chat bigint, p_status text, p_agent bigint, p_queue bigint, p_fail_reason text, p_by text,
    p_participant bigint, p_now timestamptz
) returns boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_chat chats;
    v_at timestamptz;
    v_waits boolean := p_status in ('queued', 'resumed', 'transferred');
    v_has boolean := p_status in ('assigned', 'ongoing');
    v_ends boolean := p_status in ('finished', 'failed', 'abandoned');
    v_agents bigint[];
    v_agent bigint;
begin
    select * into v_chat from chats c where c.tenant_id = p_tenant and c.chat_id = p_chat for no key update;
    if not found or v_chat.ends_at is not null then
        return false;
    end if;
    v_at := greatest(p_now, coalesce(v_chat.since, v_chat.created_at));

    insert into spans (tenant_id, chat_id, number, status, agent_id, queue_id, started_at, ended_at)
    values (p_tenant, p_chat, v_chat.span_count, v_chat.status, v_chat.agent_id, v_chat.queue_id,
            coalesce(v_chat.since, v_chat.created_at), v_at);
    update chats c set
        status = p_status, since = v_at, span_count = v_chat.span_count + 1, agent_id = p_agent, queue_id = p_queue,
        queued_at = case when v_waits then coalesce(v_chat.queued_at, v_at) else v_chat.queued_at end,
        assigned_at = case when v_has then coalesce(v_chat.assigned_at, v_at) else v_chat.assigned_at end,
        ends_at = case when v_ends then v_at end,
        fail_reason = coalesce(p_fail_reason, v_chat.fail_reason),
        disconnected_by = coalesce(p_by, v_chat.disconnected_by),
        expires_at = case when not v_ends then v_chat.expires_at end,
        ask_at = case when v_waits then v_at end
    where c.tenant_id = p_tenant and c.chat_id = p_chat;

    with closed as (
        update offers o set ended_at = v_at,
            state = case when v_has and o.agent_id = p_agent then 'accepted' else 'withdrawn' end
        where o.tenant_id = p_tenant and o.chat_id = p_chat and o.state = 'open'
          -- Whom an agent has asked to join him is asked still when the two sides have spoken.
          and not (v_has and v_chat.agent_id is not distinct from p_agent)
        returning o.agent_id
    )
    select array_agg(agent_id) into v_agents from closed;

    if v_chat.agent_id is distinct from p_agent then
        -- Of role `agent` there are its owner and whom he asked to join; supervisors stay.
        update participants p set status = 'finished', ended_at = v_at
        where p.tenant_id = p_tenant and p.chat_id = p_chat and p.type = 'agent' and p.role = 'agent'
          and p.user_id is distinct from p_agent and p.ended_at is null;
        if p_agent is not null then
            update participants p set status = 'connected', role = 'agent'
            where p.tenant_id = p_tenant and p.chat_id = p_chat and p.user_id = p_agent and p.ended_at is null;
            if not found then
                insert into participants (tenant_id, chat_id, participant_id, type, user_id, connected_at)
                values (p_tenant, p_chat, p_participant, 'agent', p_agent, v_at);
            end if;
        end if;
    end if;
    -- An open transfer is done where the chat goes to whom it was meant for; else somebody else has settled the matter.
    if v_has and v_chat.agent_id is distinct from p_agent then
        update transfers t set
            status = case when t.to_agent_id is null or t.to_agent_id = p_agent then 'connected' else 'cancelled' end,
            connected_at = case when t.to_agent_id is null or t.to_agent_id = p_agent then coalesce(t.connected_at, v_at)
                                else t.connected_at end,
            to_agent_id = coalesce(t.to_agent_id, p_agent), ended_at = v_at
        where t.tenant_id = p_tenant and t.chat_id = p_chat and t.status = 'transferring';
    -- A warm one ends with the first agent's part in the chat.
    elsif not v_ends and v_chat.agent_id is not null and p_agent is null then
        update transfers t set status = 'cancelled', ended_at = v_at
        where t.tenant_id = p_tenant and t.chat_id = p_chat and t.status = 'transferring' and t.kind = 'warm';
    -- One to an agent ends where the chat is put into a queue: else nobody but him would be asked.
    elsif v_waits and p_status <> 'transferred' then
        update transfers t set status = 'cancelled', ended_at = v_at
        where t.tenant_id = p_tenant and t.chat_id = p_chat and t.status = 'transferring' and t.to_agent_id is not null;
    end if;
    if v_ends then
        update participants p set status = 'finished', ended_at = v_at
        where p.tenant_id = p_tenant and p.chat_id = p_chat and p.ended_at is null;
        update transfers t set status = 'failed', fail_reason = 'chat_ended', ended_at = v_at
        where t.tenant_id = p_tenant and t.chat_id = p_chat and t.status = 'transferring';
        insert into crm_jobs (tenant_id, job_id, chat_id, kind, due_at, created_at)
        select p_tenant, p_chat, p_chat, 'transcript', p_now, p_now from tenants t
        where t.tenant_id = p_tenant and t.settings ? 'crm'
        on conflict do nothing;
    end if;
    delete from timers t
    where t.tenant_id = p_tenant and t.chat_id = p_chat
      and (v_ends or t.kind in ('queue_expiry', 'hold', 'dismissal') or not v_has and t.kind = 'agent_silence'
           -- Who waits for an agent is not waited for.
           or t.kind = 'consumer_silence'
              and (v_waits or v_has and coalesce(v_chat.agent_said_at < v_chat.end_user_said_at, true)));

    for v_agent in
        select distinct u from unnest(v_agents || array[v_chat.agent_id, p_agent]) u where u is not null order by u
    loop
        perform refresh_agent(p_tenant, v_agent, v_at);
    end loop;
    return true;
end $$;

-- A chat's agent has written to its consumer: he is not waited for any more, and the consumer is. One who has never
-- written is waited for as long as the outbound chat is open, without a timer. Where a queue says nothing, the times are
-- those of `domain/queue_settings.py`.
create function agent_spoke(p_tenant bigint, p_chat bigint, p_now timestamptz) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_chat chats;
    v_settings jsonb;
begin
    update chats c set agent_said_at = p_now where c.tenant_id = p_tenant and c.chat_id = p_chat returning * into v_chat;
    if v_chat.end_user_said_at is null then
        return;
    end if;
    if v_chat.status = 'assigned' then
        perform move_chat(p_tenant, p_chat, 'ongoing', v_chat.agent_id, v_chat.queue_id, null, null, null, p_now);
    end if;
    select q.effective into v_settings from queues q where q.tenant_id = p_tenant and q.queue_id = v_chat.queue_id;
    delete from timers t where t.tenant_id = p_tenant and t.chat_id = p_chat and t.kind = 'agent_silence';
    insert into timers (tenant_id, chat_id, kind, due_at)
    select p_tenant, p_chat, u.kind, p_now + make_interval(mins => u.minutes)
    from (values ('consumer_silence', coalesce((v_settings ->> 'consumer_silence_minutes')::int, 1440)),
                 ('dismissal', case v_chat.direction when 'inbound'
                               then coalesce((v_settings ->> 'dismissal_minutes')::int, 0) else 0 end)) u (kind, minutes)
    where u.minutes > 0
    on conflict (tenant_id, chat_id, kind) do update set due_at = excluded.due_at;
end $$;

-- Outbound chats that nobody answered in time: how many were ended. One that is being answered is left alone.
create function expire_chats(p_tenant bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
as $$
declare
    v_chat record;
    v_ended int := 0;
begin
    for v_chat in
        -- In the order of their agents, which is how everybody locks them.
        select * from (
            select c.chat_id, c.agent_id, c.queue_id from chats c
            where c.tenant_id = p_tenant and c.ends_at is null and c.expires_at <= p_now
            order by c.expires_at limit p_limit for no key update skip locked
        ) c order by c.agent_id, c.chat_id
    loop
        perform move_chat(p_tenant, v_chat.chat_id, 'failed', v_chat.agent_id, v_chat.queue_id, 'no_response', null, null,
                          p_now);
        v_ended := v_ended + 1;
    end loop;
    return v_ended;
end $$;

-- Accepts with the time at which each text may leave (null: now), and with what the CRM is to be asked.
drop function accept_sends(bigint, timestamptz, timestamptz, timestamptz, boolean, bigint[], text[], text[], text[],
    text[], smallint[], text[], bigint[], bigint[], text[], bytea[], text[]);
create function accept_sends(
    p_tenant bigint, p_now timestamptz, p_expires timestamptz, p_valid_until timestamptz, p_append boolean,
    p_ids bigint[], p_end_user_numbers text[], p_outbound_numbers text[], p_bodies text[], p_encodings text[],
    p_parts smallint[], p_ticket_ids text[], p_agent_ids bigint[], p_credential_ids bigint[],
    p_keys text[], p_hashes bytea[], p_on_doubts text[], p_due_ats timestamptz[], p_crm boolean
) returns table (ordinal int, outcome text, chat_id bigint, message_id bigint, end_user_id bigint,
                 identifier text, out_contact_id text, answer bytea)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_outcomes text[] := array_fill(null::text, array[cardinality(p_ids)]);
    v_answers bytea[] := array_fill(null::bytea, array[cardinality(p_ids)]);
    v_chats bigint[] := p_ids;
    v_end_users bigint[];
    v_carriers bigint[];
    v_left bigint[];
    v_whys text[];
    v_identifiers text[];
    v_contacts text[];
    v_row record;
    v_key record;
begin
    -- 1. Keys. Whoever writes the key first goes on; the others wait for his commit and get his answer.
    if exists (select from unnest(p_keys) k where k is not null) then
        for v_row in
            with wanted as (
                select i, key, hash, id from unnest(p_keys, p_hashes, p_ids) with ordinality u (key, hash, id, i)
                where key is not null order by key
            ), written as (
                insert into idempotency_keys (tenant_id, key, request_sha256, message_id, created_at)
                select t.tenant_id, key, hash, id + 1, p_now from tenants t cross join wanted where t.tenant_id = p_tenant
                on conflict do nothing returning message_id
            )
            select i, key, hash from wanted left join written w on w.message_id = wanted.id + 1
            where w.message_id is null
        loop
            select * into v_key from idempotency_keys k where k.tenant_id = p_tenant and k.key = v_row.key;
            if v_key.request_sha256 = v_row.hash then
                v_outcomes[v_row.i] := 'replayed';
                v_answers[v_row.i] := v_key.answer;
            else
                v_outcomes[v_row.i] := 'idempotency_mismatch';
            end if;
        end loop;
    end if;

    -- 2. The facts that decide, in the order of the checks. The agent and number checks are the caller's; what changed
    -- since he looked is caught here.
    select array_agg(coalesce(u.done, case
               when n.number is null then 'outbound_number_unknown'
               when u.agent_id is not null and (a.agent_id is null or a.disabled_at is not null) then 'agent_unknown'
               when b.number is not null then 'end_user_blocked'
               when opted_out(p_tenant, u.end_user_number, u.outbound_number) then 'end_user_opted_out'
               when in_doubt(p_tenant, u.end_user_number, u.outbound_number) then 'consent_in_doubt'
           end) order by u.i),
           array_agg(coalesce(n.current_carrier_id, n.carrier_id) order by u.i),
           array_agg(case when n.current_carrier_id is not null then n.carrier_id end order by u.i),
           array_agg(n.current_why order by u.i)
    into v_outcomes, v_carriers, v_left, v_whys
    from unnest(v_outcomes, p_end_user_numbers, p_outbound_numbers, p_agent_ids) with ordinality
         u (done, end_user_number, outbound_number, agent_id, i)
    -- Each look-up is by the whole key: a plain join may read all rows of the tenant where there were few of them when
    -- the plan was made, and goes on doing so when there are a million.
    left join lateral (
        select n.number, n.carrier_id, n.current_carrier_id, n.current_why from numbers n
        where n.tenant_id = p_tenant and n.number = u.outbound_number offset 0
    ) n on true
    left join lateral (
        select a.agent_id, a.disabled_at from agents a where a.tenant_id = p_tenant and a.agent_id = u.agent_id offset 0
    ) a on true
    left join lateral (
        select b.number from blocked_numbers b where b.tenant_id = p_tenant and b.number = u.end_user_number offset 0
    ) b on true;

    -- 3. Consumers, in the order of their numbers so that two groups never wait for each other crosswise.
    insert into end_users (tenant_id, end_user_id, number, created_at)
    select t.tenant_id, u.id + 4, u.number, p_now
    from tenants t cross join (
        select distinct on (number) number, id from unnest(p_end_user_numbers, p_ids, v_outcomes) x (number, id, done)
        where done is null order by number
    ) u
    where t.tenant_id = p_tenant
    order by u.number
    on conflict do nothing;

    select array_agg(e.end_user_id order by u.i), array_agg(e.identifier order by u.i),
           array_agg(e.out_contact_id order by u.i)
    into v_end_users, v_identifiers, v_contacts
    from unnest(p_end_user_numbers) with ordinality u (number, i)
    left join lateral (
        select e.end_user_id, e.identifier, e.out_contact_id from end_users e
        where e.tenant_id = p_tenant and e.number = u.number and e.number > '' offset 0
    ) e on true;

    -- 4. Sessions: the unique index lets one open chat for each consumer through.
    with opened as (
        insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,
                           assigned_at, expires_at, agent_id, ticket_id)
        select t.tenant_id, u.id, u.end_user_id, u.outbound_number, 'outbound',
               case when u.agent_id is null then 'selecting' else 'assigned' end, p_now,
               case when u.agent_id is not null then p_now end, p_expires + (coalesce(u.due_at, p_now) - p_now), u.agent_id,
               u.ticket_id
        from tenants t
        cross join unnest(p_ids, v_end_users, p_outbound_numbers, p_agent_ids, p_ticket_ids, p_due_ats, v_outcomes)
             u (id, end_user_id, outbound_number, agent_id, ticket_id, due_at, done)
        where t.tenant_id = p_tenant and u.done is null
        order by u.end_user_id, u.id
        on conflict (tenant_id, end_user_id) where ends_at is null do nothing
        returning chat_id
    )
    select array_agg(coalesce(u.done, case when o.chat_id is not null then 'accepted' end) order by u.i)
    into v_outcomes
    from unnest(v_outcomes, p_ids) with ordinality u (done, id, i) left join opened o on o.chat_id = u.id;

    if array_position(v_outcomes, null) is not null then
        for v_row in
            select u.i, u.outbound_number, u.agent_id, c.chat_id, c.outbound_number as open_number, c.agent_id as open_agent,
                   c.queue_id as open_queue
            from unnest(v_outcomes, v_end_users, p_outbound_numbers, p_agent_ids) with ordinality
                 u (done, end_user_id, outbound_number, agent_id, i)
            left join lateral (
                select * from chats c
                where c.tenant_id = p_tenant and c.end_user_id = u.end_user_id and c.ends_at is null
                for no key update
            ) c on true
            where u.done is null order by u.end_user_id
        loop
            v_chats[v_row.i] := v_row.chat_id;
            v_outcomes[v_row.i] := case
                when v_row.chat_id is null then 'again'
                when p_append then 'appended'
                when v_row.agent_id = v_row.open_agent and v_row.outbound_number = v_row.open_number then 'appended'
                else 'active_session' end;
            continue when v_outcomes[v_row.i] is distinct from 'appended';
            -- As in a new chat: the ticket is kept, and the agent who is named gets the chat, where nobody has it.
            if p_ticket_ids[v_row.i] is not null then
                update chats c set ticket_id = p_ticket_ids[v_row.i]
                where c.tenant_id = p_tenant and c.chat_id = v_row.chat_id and c.ticket_id is null;
            end if;
            if v_row.agent_id is not null and v_row.open_agent is null then
                perform move_chat(p_tenant, v_row.chat_id, 'assigned', v_row.agent_id, v_row.open_queue, null, null,
                                  p_ids[v_row.i] + 3, p_now);
            end if;
            if v_row.agent_id is not null and v_row.agent_id = coalesce(v_row.open_agent, v_row.agent_id) then
                perform agent_spoke(p_tenant, v_row.chat_id, p_now);
            end if;
        end loop;
    end if;

    -- 5. Everything that follows from an accepted send.
    insert into participants (tenant_id, chat_id, participant_id, type, user_id, end_user_id, connected_at)
    select t.tenant_id, u.id, u.id + 2 + s.n, case s.n when 0 then 'end_user' else 'agent' end,
           case s.n when 1 then u.agent_id end, case s.n when 0 then u.end_user_id end, p_now
    from tenants t cross join unnest(p_ids, v_end_users, p_agent_ids, v_outcomes) u (id, end_user_id, agent_id, done)
    cross join generate_series(0, 1) s (n)
    where t.tenant_id = p_tenant and u.done = 'accepted' and (s.n = 0 or u.agent_id is not null);

    insert into messages (tenant_id, chat_id, message_id, sender, agent_id, credential_id, body, encoding, parts,
                          on_doubt, created_at)
    select t.tenant_id, u.chat_id, u.id + 1, case when u.agent_id is null then 'api' else 'agent' end, u.agent_id,
           u.credential_id, u.body, u.encoding, u.parts, nullif(u.on_doubt, 'hold'), p_now
    from tenants t
    cross join unnest(p_ids, v_chats, p_agent_ids, p_credential_ids, p_bodies, p_encodings, p_parts, p_on_doubts,
                      v_outcomes)
         u (id, chat_id, agent_id, credential_id, body, encoding, parts, on_doubt, done)
    where t.tenant_id = p_tenant and u.done in ('accepted', 'appended');

    insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,
                       valid_until, state_at, queued_at, parts, on_doubt, hops)
    select t.tenant_id, u.id + 1, u.chat_id, u.carrier_id, 'notice', u.outbound_number, u.number, 'queued',
           coalesce(u.due_at, p_now), p_valid_until + (coalesce(u.due_at, p_now) - p_now), p_now, p_now, u.parts, u.on_doubt, case when u.left_id is null then 0 else 1 end
    from tenants t
    cross join unnest(p_ids, v_chats, v_carriers, p_outbound_numbers, p_end_user_numbers, p_parts, p_on_doubts,
                      p_due_ats, v_left, v_outcomes)
         u (id, chat_id, carrier_id, outbound_number, number, parts, on_doubt, due_at, left_id, done)
    where t.tenant_id = p_tenant and u.done in ('accepted', 'appended');

    if exists (select from unnest(v_left) l where l is not null) then
        insert into moves (tenant_id, message_id, at, from_carrier_id, to_carrier_id, why)
        select t.tenant_id, u.id + 1, p_now, u.left_id, u.carrier_id, u.why
        from tenants t cross join unnest(p_ids, v_carriers, v_left, v_whys, v_outcomes) u (id, carrier_id, left_id, why, done)
        where t.tenant_id = p_tenant and u.left_id is not null and u.done in ('accepted', 'appended');
    end if;

    if p_crm and exists (select from unnest(p_ticket_ids) k where k is not null) then
        insert into crm_jobs (tenant_id, job_id, chat_id, kind, due_at, created_at)
        select t.tenant_id, u.id + 1, u.chat_id, 'link', p_now, p_now
        from tenants t cross join unnest(p_ids, v_chats, p_ticket_ids, v_outcomes) u (id, chat_id, ticket_id, done)
        where t.tenant_id = p_tenant and u.ticket_id is not null and u.done in ('accepted', 'appended');
    end if;

    -- 6. A refused send leaves no key behind: the caller may try again under it.
    if exists (select from unnest(p_keys) k where k is not null) then
        delete from idempotency_keys k
        using unnest(p_keys, p_ids, v_outcomes) u (key, id, done)
        where k.tenant_id = p_tenant and k.key = u.key and k.message_id = u.id + 1
          and u.done not in ('accepted', 'appended');
    end if;

    return query select u.i::int, u.done, u.chat_id, u.id + 1, u.end_user_id, u.identifier, u.contact, u.answer
    from unnest(v_outcomes, v_chats, p_ids, v_end_users, v_identifiers, v_contacts, v_answers) with ordinality
         u (done, chat_id, id, end_user_id, identifier, contact, answer, i);
end $$;
