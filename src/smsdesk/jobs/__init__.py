"""What runs without anybody asking: sending, recording, sweeping.

Jobs join actions and carriers. No transaction is open while a carrier is spoken to.
"""
