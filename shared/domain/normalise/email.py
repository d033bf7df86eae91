"""E-mail addresses: how they are shown, and the key by which they are the same (D365-5).

Its promise: nothing here asks the network, and a key is only given to an address that mail could
be sent to somewhere, be it inside a company or a test.
"""

import re
import unicodedata
from typing import Final

from shared.domain.normalise.text import clean_line

# Addresses so plain that their key is their lower case; everything else goes to the library.
_PLAIN: Final = re.compile(
    r"[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,30}){0,1}"
    r"@(?:(?=[a-z0-9-]{1,41}\.)[a-z0-9]+(?:-[a-z0-9]+)*\.){1,3}[a-z]{2,20}",
    re.ASCII,
)


def email_key(raw: str | None) -> str | None:
    """Return what equal e-mail addresses share, or None if `raw` is none that can be used."""
    if not raw:
        return None
    text = raw.strip()
    lowered = text.lower()
    if lowered.isascii() and _PLAIN.fullmatch(lowered):
        return lowered
    # A late import keeps a start short; most processes never meet such an address.
    from email_validator import EmailNotValidError, validate_email

    try:
        # Not demanding deliverability admits the domains of intranets and tests.
        valid = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    if "." not in valid.domain:
        return None
    local = unicodedata.normalize("NFC", valid.local_part.casefold())
    return f"{local}@{valid.domain}"


def email(raw: str) -> tuple[str, str | None]:
    """Return `raw` trimmed and with a lower-case domain, and what is wrong with it, if anything."""
    text = clean_line(raw)
    local, at, domain = text.rpartition("@")
    lowered = domain.lower()
    shown = f"{local}@{lowered}" if at and len(lowered) == len(domain) else text
    if not shown or email_key(shown):
        return shown, None
    return shown, "is no usable e-mail address"
