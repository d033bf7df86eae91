"""Tests of the exporter against real databases and a shop on a real socket."""
