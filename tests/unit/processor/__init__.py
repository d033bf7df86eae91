"""Tests of the processor's pure parts."""
