"""Tests of the sandbox BigCommerce."""
