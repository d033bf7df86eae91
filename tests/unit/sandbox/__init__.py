"""The sandbox shop: people, rules, wire, faults."""
