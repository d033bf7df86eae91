"""Benchmarks: real processes on real services, measured side by side."""
