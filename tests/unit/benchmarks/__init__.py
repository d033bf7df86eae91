"""Tests of the benchmarks' own arithmetic, tables and pictures."""
