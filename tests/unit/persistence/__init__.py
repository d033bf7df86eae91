"""Tests of shared.persistence that need no server."""
