"""The same person in several shops: one customer, one number, shown by each of them."""

from collections import Counter

from services.console.cli.failures import Refused
from services.console.demo.scenes import MOST, Stage
from shared.persistence import directory_reader


def show_one_person(stage: Stage) -> None:
    """Count who has accounts in several shops, and show one of them in each.

    Raises `Refused` if nobody has, or if two shops show that person another number.
    """
    with stage.units.read() as work:
        linked = [
            each
            for shop in stage.shops
            for each in directory_reader.linked(work, shop.channel, limit=MOST)
        ]
    channels: dict[str, set[str]] = {}
    for each in linked:
        channels.setdefault(each.number or "", set()).add(each.link.channel)
    spread = Counter(len(found) for found in channels.values())
    number = max(channels, key=lambda each: (len(channels[each]), each))
    if len(channels[number]) < 2:  # noqa: PLR2004 - several means two
        raise Refused("nobody has accounts in two shops")
    stage.guide.step("The same person in several shops", f"patron customer show {number}")
    for shops, customers in sorted(spread.items()):
        stage.guide.say(f"{customers} customers have accounts in {shops} of the shops")
    shown = _as_shown(stage, {e.link.external_id for e in linked if e.number == number})
    rows = [
        {
            "shop": each.link.channel,
            "account": each.link.external_id,
            "shows": shown.get((each.link.channel, each.link.external_id)),
        }
        for each in linked
        if each.number == number
    ]
    stage.guide.table(rows, {"shop": "shop", "account": "account", "shows": "shows the number"})
    if {row["shows"] for row in rows} != {number}:
        raise Refused(f"the shops show customer {number} with another number")
    stage.guide.good(f"one customer, {len(rows)} accounts, one number: {number}")


def _as_shown(stage: Stage, external_ids: set[str]) -> dict[tuple[str, str], str | None]:
    """Return the numbers that the shops show at these accounts."""
    return {
        (shop.channel, account.external_id): account.number
        for shop in stage.shops
        for account in shop.accounts()
        if account.external_id in external_ids
    }
