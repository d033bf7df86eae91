"""Simulated shops on real sockets, for the demo, the tests and the benchmarks.

Never part of the production image. The one promise: a sandbox shop answers as the real platform
does, traps included, and the same seed always gives the same customers.
"""
