"""Tests of what becomes of persons who are erased, and of what is kept how long."""
