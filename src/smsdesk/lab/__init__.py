"""The lab: a simulated carrier for developers without one, for the demo, the tests and the bench.

An SMPP 3.4 SMSC on one port, handsets that keep what arrived on another (HTTP API, live page). It speaks SMPP through
the pure parts of `carriers.smpp` and knows nothing else of the product: no database, no chats, nothing of ours may
import it but the command line and the tests. `server.Lab` is the whole; `python -m smsdesk.lab` runs it.

Faults are set with `PUT /faults` (`faults.Faults` lists them), or asked for by the body of a text, for that text alone
(of a long text: for the part that carries the word):

    #lose           the handset gets it, submit_sm_resp never leaves
    #vanish         nobody gets anything: no handset, no answer, no receipt
    #drop           the handset gets it, the line is closed instead of an answer
    #refuse:0x0B    refused with this command_status, 0x08 without one
    #throttle       refused with ESME_RTHROTTLED
    #slow:2         the answer comes after so many seconds, 2 without a number
    #late:5         the receipt comes so many seconds after the answer, 2 without a number
    #early          the receipt comes before the answer
    #noreceipt      delivered, and no receipt says so
    #undeliv:012    not delivered, stat:UNDELIV with this err, 001 without one
    #expired        not delivered, stat:EXPIRED err:003
    #rejected       not delivered, stat:REJECTD err:005
"""
