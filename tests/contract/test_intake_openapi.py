"""The intake and its OpenAPI document: what is promised there holds for whatever is sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_core import OpenAPI
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from shared.persistence.engine import create_engine
from tests.integration.importer.intake.gate import API_KEY, HOOK_KEY, Gate, crm_server, serving
from tests.integration.importer.station import Station
from tests.integration.persistence.builders import SettableClock

KEPT = Path(__file__).parents[2] / "docs/push-api.openapi.json"


@pytest.fixture
def gate(migrated_sqlite_url: str) -> Iterator[Gate]:
    """Give a gate on SQLite."""
    engine = create_engine(migrated_sqlite_url)
    yield Gate(Station(engine, SettableClock()))
    engine.dispose()


# What is valid may still be refused (a country that there is not), and of several customers some.
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance, response_headers_conformance, unsupported_method, ignored_auth,
]  # fmt: skip
KEYS = {"Authorization": f"Bearer {API_KEY}", "X-Hook-Key": HOOK_KEY}


def of_intake(gate: Gate) -> dict[str, Any]:
    """Return the document as the intake serves it."""
    with gate.open() as client:
        served: dict[str, Any] = client.http.get("/v1/openapi.json").json()
    return served


def test_the_document_is_kept_with_the_documentation(gate: Gate) -> None:
    """What is served is what developers read; it is valid OpenAPI."""
    served = of_intake(gate)

    assert OpenAPI.from_dict(served).spec
    kept = json.dumps(served, indent=2, ensure_ascii=False) + "\n"
    assert KEPT.read_text("utf-8") == kept, "write it anew: see docs/push-api.md"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_document_holds_for_whatever_is_sent(gate: Gate, mode: GenerationMode) -> None:
    """No failure of ours, no answer that is not described, nothing without a key (D365-15)."""
    schema = schemathesis.openapi.from_dict(of_intake(gate))
    tried: set[str] = set()

    with serving(crm_server(gate)) as url:
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            if mode is GenerationMode.NEGATIVE and operation.path != "/v1/customers":
                continue  # whatever is sent to the others may be right
            cases = operation.as_strategy(generation_mode=mode)

            @settings(
                max_examples=30, derandomize=True, database=None, deadline=None,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=cases)
            def hold(case: Case[Any]) -> None:
                response = case.call(base_url=url, headers=KEYS)
                tried.add(f"{case.method} {response.status_code}")
                case.validate_response(response, checks=CHECKS)

            hold()

    assert tried & {"POST 202", "POST 422"}
