"""Attacks on the running product: what it is sent, what it reads, what it stands on fails."""
