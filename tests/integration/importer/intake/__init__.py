"""Tests of the intake: a real server before real databases."""
