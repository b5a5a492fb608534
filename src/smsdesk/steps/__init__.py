"""What several use cases share inside their transaction: each step does one thing to a chat, a consumer or an agent.

Actions open the transaction, call steps in order, and commit. A step gets a `Work`, reads and writes through `store`,
decides through `domain`, and never begins or ends a transaction, nor calls a network.
"""
