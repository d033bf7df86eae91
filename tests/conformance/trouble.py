"""What each trouble has to be told as."""

from collections.abc import Mapping
from typing import Final

import pytest

from shared.domain.errors import (
    AccessDenied,
    PatronError,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
)
from tests.conformance.shop import Ability, Shop, Trouble

FAMILIES: Final[Mapping[Trouble, type[PatronError]]] = {
    Trouble.DENIED: AccessDenied,
    Trouble.FORBIDDEN: AccessDenied,
    Trouble.THROTTLED: RemoteThrottled,
    Trouble.SERVER_ERROR: RemoteUnavailable,
    Trouble.UNAVAILABLE: RemoteUnavailable,
    Trouble.RESET: RemoteUnavailable,
    Trouble.LOST: RemoteUnavailable,
    Trouble.HTML: UnreadableAnswer,
    Trouble.TRUNCATED: UnreadableAnswer,
}
_NEEDED: Final = {
    Trouble.FORBIDDEN: Ability.FORBIDDEN,
    Trouble.HTML: Ability.ANSWER_BODY,
    Trouble.TRUNCATED: Ability.ANSWER_BODY,
}


def skip_unless_possible(shop: Shop, trouble: Trouble) -> None:
    """Skip, with the reason, a trouble that this platform cannot have."""
    needed = _NEEDED.get(trouble)
    if needed and needed in shop.lacks:
        pytest.skip(f"{type(shop).__name__} lacks {needed}: {shop.lacks[needed]}")
