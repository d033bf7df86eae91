"""Tests of the exporter's pure parts."""
