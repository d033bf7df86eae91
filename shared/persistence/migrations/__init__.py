"""The schema's history, oldest first; see `shared.persistence.migrate`."""
