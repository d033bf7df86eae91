"""Tests of the connectors, without a shop."""
