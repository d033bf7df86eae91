"""What an operator configures of a channel whose customers are pushed to us."""

from functools import cached_property
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from shared.config.keys import SHORTEST_KEY, Keys
from shared.connectors.push.customer import PUSHED_FIELDS
from shared.connectors.push.mapping import FieldMapping, MappingInvalid, compiled
from shared.connectors.settings import ConnectorSettings, HttpSettings


class PushStoreView(ConnectorSettings):
    """A store view that pushed customers belong to."""

    code: str


class CallbackSettings(HttpSettings):
    """Where the pusher wants to be told customer numbers, and the key that signs what we say."""

    base_url: str = Field(alias="url")
    secret: SecretStr = Field(min_length=SHORTEST_KEY)


class PushSettings(ConnectorSettings):
    """Who may push, how the pusher's customers look, and how it is told their numbers.

    With `key = "email"` the e-mail address says which customer it is. `records` is where in the
    body the customers are, `mapping` what their fields are called there.
    """

    store_views: tuple[PushStoreView, ...] = Field(min_length=1)
    api_keys: Keys = ()
    signing_keys: Keys = ()
    key: Literal["external_id", "email"] = "external_id"
    records: str | None = None
    mapping: dict[str, str] = Field(default_factory=dict)
    callback: CallbackSettings | None = None

    @model_validator(mode="after")
    def _can_be_pushed_to(self) -> Self:
        if not (self.api_keys or self.signing_keys):
            raise ValueError("api_keys or signing_keys must name a key: nobody could push")
        return self

    @model_validator(mode="after")
    def _maps_what_there_is(self) -> Self:
        try:
            _ = self.field_mapping
            if self.records is not None:
                compiled(self.records, "records")
        except MappingInvalid as error:
            raise ValueError(f"mapping: {error}") from None
        if self.mapping and self.key == "external_id" and "external_id" not in self.mapping:
            raise ValueError('mapping: external_id is missing (or set key = "email")')
        if self.mapping and self.key == "email" and "email" not in self.mapping:
            raise ValueError("mapping: email is missing, which is the key")
        return self

    @cached_property
    def field_mapping(self) -> FieldMapping | None:
        """The compiled mapping; None where customers come in our own shape."""
        return FieldMapping(self.mapping, PUSHED_FIELDS) if self.mapping else None

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of the store views."""
        return tuple(view.code for view in self.store_views)
