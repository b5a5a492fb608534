"""Promises kept before the eyes of whoever runs them: real processes, real kills, and a count at the handsets.

A proof sets up all that it needs in a folder of its own, breaks it by a seed, and judges by what the phones have. It
uses the product from outside, on the bench's rig; nothing of the product imports it.
"""
