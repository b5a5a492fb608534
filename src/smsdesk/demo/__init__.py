"""The first five minutes: a set-up, a lab, a server, and one text told from both ends.

It uses the product as a user does: real processes, HTTP requests, a handset. Nothing of the product imports it.
"""
