"""What is unverified about the platform, or differs between shops, as switches.

Its promise: the defaults are the unkinder of two possible behaviours wherever it is not known
which of them is real; a test may turn each switch by itself.
"""

from dataclasses import dataclass

VERSIONS = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")


@dataclass(frozen=True, slots=True)
class Quirks:
    """How this shop behaves."""

    versions: tuple[str, ...] = VERSIONS
    """The supported API versions, oldest first; a retired one is served by the oldest."""
    address_moves_time: bool = False
    """Whether `updatedAt` moves when an address, or a location's tax setting, changes."""
    metafield_moves_time: bool = False
    """Whether `updatedAt` moves when a metafield changes."""
    protects_data: bool = False
    """Names, e-mails, phones and addresses are null with ACCESS_DENIED: the app is not approved."""
    greater_is_inclusive: bool = False
    """Whether `updated_at:>` finds the moment itself, too."""
    searches_whole_days: bool = False
    """Whether search compares days only, so that it finds more than was asked for."""
    duplicate_number_code: str = "TAKEN"
    """What a metafield value that another owner holds is refused with; perhaps
    CAPABILITY_VIOLATION."""
    null_clears: bool = True
    """Whether null in an input empties a field, as empty text does; otherwise it is passed over."""
    duplicate_phone_is_invalid: bool = False
    """Whether a taken phone is called invalid instead of taken."""
    refuses_identical_address: bool = False
    """Whether an address that is already in the address book is refused."""
    many_companies: bool = False
    """Whether a customer may be a contact of more than one company."""
    sells_to_companies: bool = True
    """Whether the plan has companies at all."""
    most_listed: int = 25_000
    """Where paging ends; counts saturate at one more."""
    max_query_cost: int = 1000
    """What a single query may cost."""
    bulk_polls: int = 1
    """How often a bulk operation is seen RUNNING before it is COMPLETED."""
