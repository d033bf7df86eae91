"""Numbers and additional data reach the shop once, and do not come back as news."""

from tests.integration.exporter.outpost import Outpost, about
from tests.integration.importer.shops import first_of, of_store
from tests.integration.importer.station import CHANNEL


def test_number_and_additional_data_are_written_with_one_put(outpost: Outpost) -> None:
    """ASK-2: both are there afterwards, and nothing else has changed: addresses least of all."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    before = outpost.shop.control.customer(number)

    outcomes = outpost.export()

    after = outpost.shop.control.customer(number)
    assert outcomes == ["done", "done"]
    assert outpost.puts() == 1
    attributes = outpost.attributes(number)
    assert attributes["erp_customer_number"].startswith("D1")
    assert (attributes["erp_template"], attributes["erp_price_group"]) == ("standard", "RETAIL")
    moved = {key for key in after if after[key] != before.get(key)}
    assert moved <= {"custom_attributes", "updated_at"}
    assert after["addresses"] == before["addresses"]
    assert outpost.owed() == {}


def test_what_was_written_is_on_record(outpost: Outpost) -> None:
    """The link knows the number that the shop has, the timeline what was done."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)

    outpost.export()

    written = outpost.attributes(number)["erp_customer_number"]
    assert outpost.link(number).exported_number == written
    assert outpost.link(number).status == "synchronized"
    assert outpost.events(number) == ["additional_data.written", "customer_number.written"]
    labels = {"channel": CHANNEL, "effect": "customer_number", "outcome": "written"}
    count = outpost.station.registry.get_sample_value("patron_exports_total", labels)
    assert count == 1


def test_everybody_gets_one_put(outpost: Outpost) -> None:
    """A batch about many customers: each is read once and written once, side by side."""
    outpost.arrive()
    numbers = of_store(outpost.shop, 1)

    outcomes = outpost.export()

    assert outcomes == ["done"] * 2 * len(numbers)
    assert outpost.puts() == len(numbers)
    assert {len(outpost.shop.control.writes(int(number))) for number in numbers} == {1}
    written = {outpost.attributes(int(number))["erp_customer_number"] for number in numbers}
    assert len(written) == len(numbers)


def test_the_same_exports_again_write_nothing(outpost: Outpost) -> None:
    """C365-17, NEW-7: after a crash between write and record the shop is read, not written."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    again = outpost.due()
    outpost.effects().perform([received.envelope for received in again], lambda: None)

    outcomes = outpost.export()

    assert outcomes == ["done", "done"]
    assert outpost.puts() == 1
    assert outpost.events(number) == ["additional_data.unchanged", "customer_number.unchanged"]
    assert outpost.link(number).exported_number is not None
    assert outpost.export(*again) == ["duplicate", "duplicate"]


def test_our_own_write_is_no_news(outpost: Outpost) -> None:
    """C365-20: the shop's change time has moved, yet neither poll nor sweep sends anything."""
    outpost.arrive()
    outpost.export()

    polled = outpost.poll()
    outpost.station.sweep(outpost.schedule)

    assert (polled, outpost.station.new_subjects()) == ([], [])
    read = outpost.station.registry.get_sample_value(
        "patron_import_records_total", {"channel": CHANNEL, "outcome": "unchanged"}
    )
    assert read
    assert read >= 2 * len(of_store(outpost.shop, 1))


def test_a_change_during_our_write_is_news(outpost: Outpost) -> None:
    """A shopper's edit between our reading and our writing is kept, and imported."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    control = outpost.shop.control
    outpost.transport.before_write = lambda: control.edit_profile(number, middlename="Zoe")

    outcomes = outpost.export()

    assert outcomes == ["done", "done"]
    assert control.customer(number)["middlename"] == "Zoe"
    assert outpost.attributes(number)["erp_template"] == "standard"
    assert outpost.poll() == [str(number)]


def test_a_change_after_our_write_is_news(outpost: Outpost) -> None:
    """Only the echo is suppressed, nothing that follows it."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.export()

    outpost.shop.control.edit_profile(number, middlename="Zoe")

    assert outpost.poll() == [str(number)]


def test_a_change_before_our_write_is_news(outpost: Outpost) -> None:
    """A shopper was faster than our write-back: what we had seen is not what we found."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.edit_profile(number, middlename="Zoe")

    outpost.export()

    assert outpost.poll() == [str(number)]


def test_a_lost_number_is_written_again(outpost: Outpost) -> None:
    """Somebody cleared it in the shop: the next import leads to one export of the number."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.export()
    written = outpost.attributes(number)["erp_customer_number"]
    outpost.shop.control.edit_profile(
        number, custom_attributes=[{"attribute_code": "erp_customer_number", "value": "X"}]
    )

    outpost.arrive()
    outcomes = outpost.export()

    assert outcomes == ["done"]
    assert outpost.attributes(number)["erp_customer_number"] == written
    assert outpost.poll() == []


def test_a_customer_that_is_gone_is_an_end_and_no_failure(outpost: Outpost) -> None:
    """The link says so; no attempt is repeated and no dead letter written (fault 51)."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.delete_customer(number)

    outcomes = outpost.export(*about(outpost.due(), number))

    assert outcomes == ["done", "done"]
    assert (outpost.puts(), outpost.owed(), outpost.buried()) == (0, {}, [])
    assert (outpost.link(number).status, outpost.link(number).exported_number) == ("removed", None)
    assert outpost.events(number) == ["additional_data.remote_gone", "customer_number.remote_gone"]
