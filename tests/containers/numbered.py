"""Ask the simulated shop which of its customers carry a customer number; runs inside its container.

Exit 0 if every customer with a billing address has one and no number is given twice.
"""

import json
import sys
import urllib.request
from typing import Any

CONTROL = "http://127.0.0.1:8080/_sandbox"


def main() -> int:
    """Print how many are numbered, and the ids of those who should be and are not."""
    customers = [ask(f"customers/{number}") for number in range(1, ask("stats")["customers"] + 1)]
    numbers = {each["id"]: number_of(each) for each in customers}
    given = [number for number in numbers.values() if number]
    missing = [each["id"] for each in customers if each["addresses"] and not numbers[each["id"]]]
    sys.stdout.write(f"{len(given)} of {len(customers)} customers are numbered\n")
    sys.stdout.write(f"without a number though with an address: {missing}\n" if missing else "")
    return 0 if given and not missing and len(set(given)) == len(given) else 1


def ask(path: str) -> Any:
    """Return what the control interface answers."""
    with urllib.request.urlopen(f"{CONTROL}/{path}", timeout=10) as answer:  # noqa: S310 - http
        return json.load(answer)


def number_of(customer: dict[str, Any]) -> str:
    """Return the customer number, or nothing."""
    attributes = customer.get("custom_attributes", [])
    return next(
        (a["value"] for a in attributes if a["attribute_code"] == "erp_customer_number"), ""
    )


if __name__ == "__main__":
    sys.exit(main())
