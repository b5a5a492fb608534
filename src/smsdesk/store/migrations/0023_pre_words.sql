-- Words are written down in two passes over the messages by time, each of which reads a message a few times at most,
-- however fast they come. `front` follows what is said, two seconds behind the clock. A message counts from when its
-- transaction began, and may be committed behind it: `since` goes the same way again, four minutes behind the clock.
-- (Before, each look read all messages of the last minutes again: at thousands a second that was all it did.)
alter table word_marks add column front timestamptz;
alter table word_marks drop column next_since;

-- Writes down the words of messages of that time that have none yet, the oldest first: how many, at most `p_limit`, and
-- when the last of them was written.
create function write_words(p_tenant bigint, p_from timestamptz, p_until timestamptz, p_limit int,
                            out done int, out latest timestamptz)
language sql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    with found as (
        select m.chat_id, m.message_id, m.body, m.created_at from messages m
        left join message_words w on w.tenant_id = p_tenant and w.chat_id = m.chat_id and w.message_id = m.message_id
        where m.tenant_id = p_tenant and m.created_at > '2000-01-01'
          and m.created_at >= p_from and m.created_at <= p_until and w.message_id is null
        order by m.created_at limit p_limit
    ), written as (
        insert into message_words (tenant_id, chat_id, message_id, words)
        select t.tenant_id, f.chat_id, f.message_id,
               to_tsvector('simple', f.body) || array_to_tsvector(array['t:' || p_tenant])
        from tenants t cross join found f where t.tenant_id = p_tenant
        on conflict do nothing
    )
    select count(*)::int, max(created_at) from found;
$$;

-- As before: how many messages in the first pass, at most `p_limit`; then there may be more. One process at a time does
-- it for a tenant. The second pass comes after the first, with at most 50,000 messages of 10 seconds at least.
create or replace function index_words(p_tenant bigint, p_now timestamptz, p_limit int) returns int
language plpgsql
set enable_seqscan = off
as $$
declare
    v_mark word_marks;
    v_found record;
    v_until timestamptz := p_now - interval '4 minutes';
begin
    insert into word_marks (tenant_id, since)
    select t.tenant_id, '2000-01-01 00:00:01+00' from tenants t where t.tenant_id = p_tenant
    on conflict do nothing;
    select * into v_mark from word_marks w where w.tenant_id = p_tenant for update skip locked;
    if not found then
        return 0;
    end if;
    select * into v_found
    from write_words(p_tenant, coalesce(v_mark.front, v_mark.since), 'infinity', p_limit);
    v_mark.front := greatest(v_mark.front, v_mark.since, least(
        case when v_found.done = p_limit then v_found.latest end, p_now - interval '2 seconds'));
    if v_found.done < p_limit and v_until - v_mark.since >= interval '10 seconds' then
        v_until := least(v_until, (
            select m.created_at from messages m
            where m.tenant_id = p_tenant and m.created_at > '2000-01-01' and m.created_at >= v_mark.since
            order by m.created_at offset 50000 limit 1));
        perform write_words(p_tenant, v_mark.since, v_until, 50000);
        v_mark.since := v_until;
    end if;
    update word_marks w set since = v_mark.since, front = v_mark.front where w.tenant_id = p_tenant;
    return v_found.done;
end $$;
