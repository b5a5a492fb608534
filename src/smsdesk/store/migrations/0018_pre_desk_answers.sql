-- The form that an agent sent last in a chat: the same form twice is one text.
alter table desk_chats
    add column sent_key text,
    add column sent_message_id bigint;
