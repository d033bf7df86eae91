"""Tests of the operator's desk without a database."""
