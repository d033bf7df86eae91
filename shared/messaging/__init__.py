"""The broker port, its adapters, the topology and the wire format."""
