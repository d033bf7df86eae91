"""Tests of the processor against real databases."""
