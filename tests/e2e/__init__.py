"""The whole product: real processes, real broker, real database, a shop on a real socket."""
