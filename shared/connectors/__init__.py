"""Connectors: one package per platform behind the ports in `ports`."""
