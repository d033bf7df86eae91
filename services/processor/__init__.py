"""The processor: the only process that decides."""
