"""The importer: the only process that reads a remote system."""
