"""What differs between releases of the platform, as switches.

Its promise: `of_release` gives what that release does; a test may turn each switch by itself.
"""

from dataclasses import dataclass
from typing import Literal

Merging = Literal["always", "admin_only", "never"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """How one release behaves where releases differ."""

    repeats_last_page: bool = False
    """2.3: a page past the last one is the last one again."""
    merging: Merging = "always"
    """Whether PUT overlays the stored customer (2.4.1+), for admins only, or never (<= 2.4.0)."""
    validates_names: bool = True
    """2.4.2-p1+: names of people refuse emoji, `+`, `/`, `(`."""
    validates_places: bool = False
    """2.4.8: cities refuse dots, digits and brackets, telephones slashes, dots and > 20 letters."""
    refuses_replaced_default: bool = False
    """Early 2.4.7: replacing a default address without its id answers 400."""
    limits_input: bool = False
    """Optional input limiting: 20 rows unless asked, 300 at most."""
    two_factor: bool = False
    """The plain admin-token route answers 400."""
    integration_as_bearer: bool = False
    """Since 2.4.4 off by default: the bare access token as a Bearer."""


RELEASES: dict[str, Quirks] = {
    "2.3": Quirks(repeats_last_page=True, merging="never", validates_names=False,
                  integration_as_bearer=True),
    "2.4.0": Quirks(merging="never", validates_names=False, integration_as_bearer=True),
    "2.4.1": Quirks(validates_names=False, integration_as_bearer=True),
    "2.4.6": Quirks(),
    "2.4.6-p6": Quirks(merging="admin_only", refuses_replaced_default=True),
    "2.4.7": Quirks(refuses_replaced_default=True),
    "2.4.7-p1": Quirks(merging="admin_only", refuses_replaced_default=True),
    "2.4.8": Quirks(validates_places=True),
    "2.4.9": Quirks(),
}  # fmt: skip
DEFAULT_RELEASE = "2.4.9"


def of_release(name: str) -> Quirks:
    """Return the quirks of release `name`. Raises KeyError for one that is not described."""
    return RELEASES[name]
