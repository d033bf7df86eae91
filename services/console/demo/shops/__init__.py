"""The simulated shops of the demo: how each is started, looked at and changed."""
