-- The queue is often empty, and full a second later. What was planned for an empty one must not read all of a full one.

-- Its file stays as long as it once was: of an empty file all is read at once, and so planned.
alter table texts set (vacuum_truncate = off);

-- The texts to a phone that have not ended. While the queue counts as empty, any index finds them at the same cost, also
-- one that has only the tenant in common with the question: what is asked for as a range in order has its own index.
create function texts_to(p_tenant bigint, p_number text) returns setof texts
language plpgsql stable rows 1
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select t.* from texts t
    where t.tenant_id = p_tenant and t.destination >= p_number and t.destination <= p_number and t.destination > ''
    order by t.destination;
end $$;
