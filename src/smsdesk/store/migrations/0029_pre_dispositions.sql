-- What chats were about lately: the search at the desk offers the words that the latest wrap-ups have. Without it, each
-- look reads all chats that ended in a month.
create index wrap_ups_by_time on wrap_ups (tenant_id, started_at, disposition) where disposition <> '';
