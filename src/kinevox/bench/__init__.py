"""How fast, how large: time and memory of every stage, in a fresh process per case.

What each figure means is written down in docs/benchmarks.md.
"""
