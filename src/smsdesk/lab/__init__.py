"""The lab: a simulated carrier for developers without one, for the demo, the tests and the bench.

An SMPP 3.4 SMSC on one port (and over TLS on another), HTTP vendors and handsets on a third (HTTP API, live page). It
speaks SMPP through the pure parts of `carriers.smpp` and knows nothing else of the product: no database, no chats,
nothing of ours may import it but the command line and the tests. `server.Lab` is the whole; `python -m smsdesk.lab`
runs it.

What it does to a text is decided in one place, `network.Network.submit`, for SMPP and HTTP alike: by the words in the
text (`words`), else by the faults that are on (`faults`) and the network's day (`profiles`). What carriers do
differently without being wrong is a `dialect`. All four are set over the HTTP API or by flags.
"""
