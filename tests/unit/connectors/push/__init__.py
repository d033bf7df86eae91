"""Tests of the connector for systems that push."""
