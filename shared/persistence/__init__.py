"""State: tables, migrations and set-based repositories."""
