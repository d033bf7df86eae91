"""What `deploy` holds, held against the code and by the tools that will read it."""
