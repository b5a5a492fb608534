-- Where replies go: how long a queue lets wait, and which conversations are under way.

-- Both times are written once in the life of a chat.
create index chats_waited on chats (tenant_id, queue_id, assigned_at)
    where queued_at is not null and assigned_at is not null;

-- Chats that do not close by themselves: a campaign's, which nobody has answered, are not among them.
create index chats_live on chats (tenant_id, chat_id) where ends_at is null and expires_at is null;
