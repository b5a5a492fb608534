"""Benchmarks, and the tools that they measure with.

The tools: load over HTTP, the database alone as the yardstick, CPU and memory of processes, the report. They know
nothing of how ours work: what is asked and what is called is passed in. The benchmarks: `accept` and `deliver`, on a
`rig` of real processes and a database of its own. A fault is counted as a fault, never as an answer, and a benchmark
whose counts are wrong raises BenchError. No options, no progress bars: these are `cli`'s.
"""
