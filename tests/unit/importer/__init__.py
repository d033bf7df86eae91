"""Tests of the importer's pure parts."""
