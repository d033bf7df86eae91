"""Every reason points to a cause, and no error's family says otherwise."""

import pytest

from shared.domain.causes import cause_of
from shared.domain.errors import ConfigurationError, PatronError, TransientError
from tests.docs.test_runbook import _family, reasons_in_code


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("remote_unavailable", "passing"),
        ("broker_maxlen", "passing"),
        ("remote_rejected", "data"),
        ("attribute_missing", "setup"),
        ("schema_too_new", "setup"),
        ("bug", "defect"),
        ("delivery_limit", "defect"),
    ],
)
def test_a_reason_points_to_what_helps(reason: str, cause: str) -> None:
    """NEW-5: waiting, correcting data, mending the set-up, or reporting it."""
    assert cause_of(reason) == cause


def test_families_of_errors_agree() -> None:
    """NEW-5: what may pass by itself is no fault of the set-up, and the other way round."""
    assert reasons_in_code()
    families = {kind: cause_of(kind.reason) for kind in _family(PatronError)}

    for kind, cause in families.items():
        if issubclass(kind, TransientError):
            assert cause == "passing", kind
        elif issubclass(kind, ConfigurationError):
            assert cause == "setup", kind
