"""What the comparison with the peers says: ratios, tables, picture, and the messages they get."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from uuid import UUID

import pytest

from benchmarks.peers import chart, envelopes, figures, page, sql, supply
from benchmarks.peers.catalogue import BATCHES, FULL, PEERS, PLAIN, TUNED, Peer
from benchmarks.peers.figures import Run, Spread
from benchmarks.peers.job import IN, CustomerImported, result

_CPU = {"client": 100.0, "broker": 50.0, "database": 25.0}


def _run(name: str, variant: str, number: int, rate: float, processes: int = 1) -> Run:
    return Run(name, variant, processes, number, rate, _CPU)


def _runs() -> list[Run]:
    """Return two rounds in which the second is slower for everybody."""
    return [
        _run("Celery", PLAIN, 0, 100),
        _run("Celery", TUNED, 0, 200),
        _run("Taskiq", TUNED, 0, 800),
        _run("Patron", BATCHES, 0, 4000),
        _run("Celery", PLAIN, 1, 50),
        _run("Celery", TUNED, 1, 160),
        _run("Taskiq", TUNED, 1, 400),
        _run("Patron", BATCHES, 1, 3200),
        _run("Patron", FULL, 1, 2000),
        _run("Patron", BATCHES, 0, 9000, processes=2),
    ]


def test_a_ratio_is_taken_within_each_round() -> None:
    """A ratio compares runs of one round, and its spread is that of the rounds."""
    ours = {line.title: line for line in figures.lines(_runs(), 1)}["Patron, batches"]

    assert ours.rate == Spread(3600, 3200, 4000)
    assert ours.to_best == Spread(6.5, 5, 8)
    assert ours.to_celery == Spread(20, 20, 20)


def test_the_best_peer_is_a_tuned_one_of_the_same_number_of_processes() -> None:
    """What is not tuned, or ran with more processes, is nobody's measure."""
    lines = {line.title: line for line in figures.lines(_runs(), 1)}
    [alone] = figures.lines(_runs(), 2)

    assert lines["Taskiq, tuned"].to_best == Spread(1, 1, 1)
    assert alone.to_best is None
    assert alone.to_celery is None


def test_a_round_that_one_of_two_missed_is_left_out() -> None:
    """The full job, which ran in the second round only, is compared in that round."""
    lines = {line.title: line for line in figures.lines(_runs(), 1)}

    assert lines["Patron, full job"].to_best == Spread(5, 5, 5)


def test_runs_can_be_written_and_read_again(tmp_path: Path) -> None:
    """A file of runs gives the same figures as the runs."""
    figures.write(_runs(), tmp_path / "peers.json", {"cores": 2})

    assert figures.read(tmp_path / "peers.json") == _runs()


def test_the_picture_parses_and_names_everybody() -> None:
    """The picture is XML; it has each implementation's name and figure, and keeps in its frame."""
    panels = [figures.lines(_runs(), 1), figures.lines(_runs(), 2)]

    picture = ET.fromstring(chart.draw(panels))  # noqa: S314 - our own

    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    for line in (*panels[0], *panels[1]):
        assert line.title in texts
        assert f"{line.rate.median:,.0f}" in texts
    assert {"One process", "2 processes"} <= set(texts)
    width = float(picture.attrib["width"])
    for bar in picture.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(bar.get("x", "0")) + float(bar.attrib["width"]) <= width


def test_the_tables_go_between_the_markers() -> None:
    """Only what stands between the markers of the page is replaced."""
    table = page.as_markdown(figures.lines(_runs(), 1))

    written = page.put(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", [table])

    assert written.startswith(f"before\n{page.BEGIN}\n\n| one process | messages/s |")
    assert written.endswith(f"\n\n{page.END}\nafter\n")
    assert "old" not in written
    assert "| **Patron, batches** | 3,600 (3,200 .. 4,000) | 6.50 (5.00 .. 8.00) |" in written


def test_a_page_without_markers_is_refused() -> None:
    """A page that has no place for the tables is left alone."""
    with pytest.raises(ValueError, match="peers:begin"):
        page.put("nothing here", [])


def test_the_page_has_a_place_for_the_tables() -> None:
    """The page about performance has the markers, and the picture is where it says."""
    text = page.PAGE.read_text("utf-8")

    assert page.put(text, ["a table"]) != text
    assert "](images/peers.svg)" in text


def test_the_messages_are_the_products_own() -> None:
    """Everybody's model reads the product's message, which is about 1.5 KB."""
    [parcel] = supply.parcels(7, 1)

    message = CustomerImported.model_validate_json(parcel.body)

    assert 1400 < len(parcel.body) < 1700
    assert message.email == "new7@example.com"
    assert message.phone == "+4930200000007"


def test_every_message_is_about_somebody_else() -> None:
    """One in two is about a known customer, by e-mail or by telephone, each about another."""
    parcels = supply.parcels(0, 400)
    read = [CustomerImported.model_validate_json(each.body) for each in parcels]

    by_email = {m.email for m in read if m.email.startswith("known")}
    by_phone = {m.phone for m in read if m.phone.startswith("+49301")}

    assert (len(by_email), len(by_phone)) == (100, 100)
    assert not {int(m[5:].partition("@")[0]) for m in by_email} & {int(p[6:]) for p in by_phone}
    assert len({m.email for m in read}) == len({m.phone for m in read}) == len(read)
    assert supply.new_among(0, 400) == len(read) - len(by_email) - len(by_phone)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.title)
def test_every_envelope_goes_to_the_queue_and_carries_the_message(peer: Peer) -> None:
    """Whatever the envelope, the message in it is the product's, under its own id."""
    [parcel] = supply.parcels(3, 1)

    message = peer.envelope(parcel)

    assert message.routing_key == IN
    text = parcel.body.decode()
    if message.body != parcel.body:
        content = json.loads(message.body)
        arguments = content[0] if isinstance(content, list) else content["args"]
        assert arguments == [str(parcel.message_id), text]
    assert message.message_id == parcel.message_id


def test_a_result_is_found_in_any_envelope() -> None:
    """Results come bare, as Celery's arguments, and as those of the others."""
    [parcel] = supply.parcels(3, 1)
    message = CustomerImported.model_validate_json(parcel.body)
    text = result(parcel.message_id, UUID(int=5), message)

    bodies = [text, json.dumps([[text], {}, {"chain": None}]), json.dumps({"args": [text]})]

    for body in bodies:
        assert envelopes.result_of(body.encode())["customer_id"] == str(UUID(int=5))


def test_parameters_are_written_as_each_driver_wants_them() -> None:
    """A parameter that is used twice is given once where drivers number them."""
    numbered = sql.for_asyncpg("SELECT {a} + {b} + {a}")

    assert sql.for_psycopg("SELECT {a}") == "SELECT %(a)s"
    assert numbered == ("SELECT $1 + $2 + $1", ("a", "b"))
