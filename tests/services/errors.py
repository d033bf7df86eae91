"""What can go wrong while a service is provided: one error, telling the reader what to do."""


class ServiceUnavailable(Exception):
    """A test asked for a service that could not be provided; the text says what would help."""
