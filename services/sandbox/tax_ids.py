"""Tax numbers whose check digits are right, for the seeded companies.

Its promise: the same number gives the same id, and `python-stdnum` calls it valid.
"""

from collections.abc import Callable


def tax_id(country: str, number: int) -> str:
    """Return a well-formed VAT id of `country` made from `number`, or "" where there is none."""
    make = _BY_COUNTRY.get(country)
    return make(number) if make else ""


def _luhn_digit(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _germany(number: int) -> str:
    body = f"{10_000_000 + number % 90_000_000:08}"
    product = 10
    for digit in body:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return f"DE{body}{(11 - product) % 10}"


def _austria(number: int) -> str:
    body = f"{1_000_000 + number % 9_000_000:07}"
    return f"ATU{body}{(6 - int(body[-1]) + _luhn_digit(body[:-1])) % 10}"


def _france(number: int) -> str:
    body = f"{10_000_000 + number % 90_000_000:08}"
    siren = f"{body}{_luhn_digit(body)}"
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"


def _belgium(number: int) -> str:
    body = f"0{1_000_000 + number % 8_000_000:07}"
    return f"BE{body}{97 - int(body) % 97:02}"


def _netherlands(number: int) -> str:
    serial = number % 9_000_000
    while True:
        body = f"{10_000_000 + serial:08}"
        check = _weighted(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"NL{body}{check}B01"
        serial += 1


def _italy(number: int) -> str:
    body = f"{1_000_000 + number % 9_000_000:07}015"
    return f"IT{body}{_luhn_digit(body)}"


def _spain(number: int) -> str:
    body = f"{1_000_000 + number % 8_000_000:07}"
    return f"ESB{body}{_luhn_digit(body)}"


def _poland(number: int) -> str:
    serial = number % 80_000_000
    while True:
        body = f"5{10_000_000 + serial:08}"
        check = _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"PL{body}{check}"
        serial += 1


def _czechia(number: int) -> str:
    body = f"{2_000_000 + number % 6_000_000:07}"
    check = (11 - _weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 11) % 10
    return f"CZ{body}{check}"


def _sweden(number: int) -> str:
    body = f"556{100_000 + number % 900_000:06}"
    return f"SE{body}{_luhn_digit(body)}01"


def _united_kingdom(number: int) -> str:
    body = f"{1_000_000 + number % 8_000_000:07}"
    check = 97 - (_weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 97)
    return f"GB{body}{check:02}"


def _greece(number: int) -> str:
    body = f"{10_000_000 + number % 80_000_000:08}"
    total = sum(int(digit) << (8 - place) for place, digit in enumerate(body))
    return f"EL{body}{total % 11 % 10}"


_BY_COUNTRY: dict[str, Callable[[int], str]] = {
    "DE": _germany,
    "AT": _austria,
    "FR": _france,
    "BE": _belgium,
    "NL": _netherlands,
    "IT": _italy,
    "ES": _spain,
    "PL": _poland,
    "CZ": _czechia,
    "SE": _sweden,
    "GB": _united_kingdom,
    "GR": _greece,
}
