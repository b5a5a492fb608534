"""What tests of every part stand on: a database, clocks and ids of their own.

Here is what more than one folder of tests needs. Not here: fixtures of one part, and stand-ins for our own code.
"""
