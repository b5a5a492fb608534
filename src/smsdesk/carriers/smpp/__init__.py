"""Lines to a network over SMPP 3.4, as an ESME.

Pure parts decide: pdu, codec, status, receipts, outcomes, timers, addressing, user_data, validity, submission, gate,
window, inbound, handshake. `submissions` and `deliveries` are the two directions of a session; the session alone
touches a socket, a binding alone reconnects, the carrier alone knows of several. Both ends of a line may use the pure
parts. What a text means to a chat, a database or a person does not belong here.
"""
