"""What nobody knows for certain about the platform, or what differs from store to store.

Its promise: the defaults are what the platform's documents say; each switch by itself turns one
doubt into a fact that a test can rely on.
"""

from dataclasses import dataclass
from typing import Literal

EncodedDates = Literal["empty", "ignored", "refused"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """How this store behaves where nobody promises anything."""

    touches_on_address: bool = False
    """A customer's `date_modified` moves when an address is created, edited or deleted."""
    touches_on_attribute: bool = False
    """It moves when an attribute value is written."""
    touches_on_form_field: bool = False
    """It moves when only form fields are written."""
    encoded_dates: EncodedDates = "empty"
    """What a date filter does whose value came with `%3A` for the colon."""
    naive_dates_hours: int = 0
    """How many hours ahead of UTC the store takes a date without a zone to be."""
    dates_get_time_of_day: bool = False
    """A bound without a time of day gets the present one, as in the products API."""
    keeps_good_items: bool = False
    """One bad item fails the request, yet the items before it have been saved."""
    limits_concurrent_puts: bool = True
    """A fourth PUT at the same time is answered 429."""
    every_nth_429_is_500: int = 0
    """Every n-th request over the limit is answered 500 instead; 0 is never."""
    independent_companies: bool = False
    """The company owns its users' customer group: what a customer's PUT says is dropped."""
    accepts_plain_destinations: bool = False
    """Webhooks may go to http and to any port, which the platform never allows."""
    company_uuid_is_free_text: bool = False
    """A company's `uuid` takes any text."""
