"""Asks any server whether it keeps to the record of the imitated API, by sending it the page's own examples.

It sees a server from outside only: an address and credentials, requests and answers. The examples are data in
`contract`; what is here fills in numbers and agents, compares, and shows the differences to a person. Nothing here
knows how our own server works.
"""
