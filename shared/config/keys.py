"""Lists of secret keys, as an operator gives them: several, so that one can replace another."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema

SHORTEST_KEY: Final = 32
SHORTEST_FOREIGN_KEY: Final = 16


def _one_a_line(value: Any) -> Any:
    """Read keys as a file or an environment variable gives them: one on each line."""
    return value.split() if isinstance(value, str) else value


def _schema(shortest: int) -> WithJsonSchema:
    secret = {"type": "string", "format": "password", "minLength": shortest}
    return WithJsonSchema({"anyOf": [secret, {"type": "array", "items": secret}]})


Keys = Annotated[
    tuple[Annotated[SecretStr, Field(min_length=SHORTEST_KEY)], ...],
    BeforeValidator(_one_a_line),
    _schema(SHORTEST_KEY),
]
"""Keys of ours: a list, or a text with one on each line."""

ForeignKeys = Annotated[
    tuple[Annotated[SecretStr, Field(min_length=SHORTEST_FOREIGN_KEY)], ...],
    BeforeValidator(_one_a_line),
    _schema(SHORTEST_FOREIGN_KEY),
]
"""Keys that a platform made, whose length is its own affair."""
