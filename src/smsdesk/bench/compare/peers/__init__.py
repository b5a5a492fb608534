"""Other gateways as their manuals set them up, and ours, behind one interface: for `smsdesk bench compare`."""
