"""HTTP vendors beside the SMSC: Twilio, Vonage, Telnyx, Bandwidth, Kannel's smsbox, and a generic one.

Each is a small pure class after the vendor's public documentation (`vendor.Vendor`): it reads requests, writes answers
and callbacks. `gateway` brings its texts to the network and their status back, `courier` posts callbacks, `desk` has
the routes. Nothing here knows the product's carriers: both sides were written from the same pages, each on its own.
"""
