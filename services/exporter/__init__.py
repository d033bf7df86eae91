"""The exporter: the only process that writes a remote system."""
