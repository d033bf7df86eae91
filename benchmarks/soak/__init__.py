"""The soak: the whole pipeline at work for a long time, among faults of every kind."""
