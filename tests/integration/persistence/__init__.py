"""Tests of shared.persistence on real databases."""
