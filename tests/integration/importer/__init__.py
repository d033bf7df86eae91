"""Tests of the importer against real databases and a shop on a real socket."""
