"""Least privilege: each process under its own role and user, and what these may not do."""
