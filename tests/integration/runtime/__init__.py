"""Tests of the consumer and the outbox on real brokers and databases."""
