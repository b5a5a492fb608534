"""A line to a network over SMPP 3.4, as an ESME.

Pure parts decide: pdu, codec, status, receipts, outcomes, timers, addressing, submission, window, inbound. The session
alone touches a socket, the carrier alone reconnects. Both ends of a line may use the pure parts. What a text means to
a chat, a database or a person does not belong here.
"""
