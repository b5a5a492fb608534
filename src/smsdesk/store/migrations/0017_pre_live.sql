-- What the grouped statements of the worker mean for the desks: the chats to tell of. A notice that nobody at a desk
-- sent, and nobody has answered, is shown by none of them.

-- The chats of texts of which something becomes known: those that are no notices, those that an agent has, and those of
-- which it is not known whether they left (`p_doubtful`, one for each text; null is none).
create function texts_to_tell(p_tenant bigint, p_ids bigint[], p_doubtful boolean[]) returns bigint[]
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
    return array(
        select t.chat_id from unnest(p_ids, p_doubtful) u (id, doubtful)
        cross join lateral (
            select t.chat_id, t.kind from texts t where t.tenant_id = p_tenant and t.message_id = u.id offset 0
        ) t
        where u.doubtful or t.kind <> 'notice'
           or (select c.agent_id from chats c where c.tenant_id = p_tenant and c.chat_id = t.chat_id) is not null
    );
end $$;

-- The same of the parts that receipts name. A text that has ended is told of where an agent has its chat.
create function parts_to_tell(p_tenant bigint, p_carrier bigint, p_part_ids text[]) returns bigint[]
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
    return array(
        select p.chat_id from unnest(p_part_ids) u (id)
        cross join lateral (
            select p.chat_id, p.message_id from parts p
            where p.tenant_id = p_tenant and p.carrier_id = p_carrier and p.carrier_part_id = u.id
            order by p.claimed_at desc limit 1
        ) p
        where (select c.agent_id from chats c where c.tenant_id = p_tenant and c.chat_id = p.chat_id) is not null
           or (select t.kind from texts t where t.tenant_id = p_tenant and t.message_id = p.message_id) <> 'notice'
    );
end $$;

-- The same of the texts that wait no longer than now: of as many as `end_expired` is about to end.
create function expired_to_tell(p_tenant bigint, p_now timestamptz, p_limit int) returns bigint[]
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
declare v_ids bigint[];
begin
    v_ids := array(
        select t.message_id from texts t
        where t.tenant_id = p_tenant and t.state = 'queued' and t.valid_until <= p_now
        order by t.valid_until limit p_limit
    );
    return case when v_ids = '{}' then v_ids else texts_to_tell(p_tenant, v_ids, null) end;
end $$;

-- The chats that agents have and nobody answered in time: of as many as `expire_chats` is about to end.
create function unanswered_to_tell(p_tenant bigint, p_now timestamptz, p_limit int) returns bigint[]
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
begin
    return array(
        select x.chat_id from (
            select c.chat_id, c.agent_id from chats c
            where c.tenant_id = p_tenant and c.ends_at is null and c.expires_at <= p_now
            order by c.expires_at limit p_limit
        ) x where x.agent_id is not null
    );
end $$;
