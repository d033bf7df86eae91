"""Tests of the configuration: reading, validating, describing."""
