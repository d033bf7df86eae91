"""Tests of the consumer loop, recoverability and the process, without a broker."""
