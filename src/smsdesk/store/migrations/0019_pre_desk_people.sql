-- People are found by the beginning of a name while somebody types it.
create index end_users_by_name on end_user_names
    (tenant_id, lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) text_pattern_ops)
    where first_name is not null;
create index end_users_by_last_name on end_user_names (tenant_id, lower(last_name) text_pattern_ops)
    where last_name is not null;
