"""Unit tests of the messaging package."""
