"""The measuring tools: load over HTTP, the database alone as the yardstick, CPU and memory of processes, the report.

They measure any server and any statement, and know nothing of how ours work: what is asked and what is called is passed
in. A fault is counted as a fault, never as an answer. Which measurements make a benchmark is `cli`'s to say.
"""
