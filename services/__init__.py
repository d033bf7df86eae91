"""The processes of Patron: three workers, the operator's console, and the sandbox."""
