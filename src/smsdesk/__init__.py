"""smsdesk: the SMS channel of a contact center that its owner runs."""
