"""Models against the real thing: whatever happens in whatever order, the end is the implied one."""
