"""The dead-letter keeper on real brokers and databases."""
