"""How files are read, as outside users have them: what they are written in, and what one bad cell does."""

import io

import pytest
from openpyxl import Workbook

from tests.component.enrollment.programme import HEADING, Programme


def test_what_a_file_is_written_in_does_not_matter(city: Programme) -> None:
    """Commas, tabs, old Windows letters, UTF-16, English headings in any case, quotes, blank lines."""
    rows = [(city.nip(), "Ni Luh é"), (city.nip(), 'Siti; "Ami"')]
    quoted = rows[1][1].replace('"', '""')
    table = [
        f"Nip,Full Name,Employment Status,Unit Code\n{rows[0][0]},{rows[0][1]},PNS,DISDIK\n".encode("cp1252"),
        f"nip\tNama\tstatus\tunit\r\n\r\n{rows[0][0]}\t{rows[0][1]}\tpns\tDISDIK\r\n".encode("utf-16"),
        f'sep=;\n{HEADING};CATATAN\n{rows[1][0]};"{quoted}";Pns;DISDIK;x\n'.encode("utf-8-sig"),
    ]
    done = [city.take_in("employees", content) for content in table]
    assert [one["counts"] for one in done] == [
        {"rows": 1, "created": 1, "updated": 0, "unchanged": 0, "rejected": 0},
        {"rows": 1, "created": 0, "updated": 0, "unchanged": 1, "rejected": 0},
        {"rows": 1, "created": 1, "updated": 0, "unchanged": 0, "rejected": 0},
    ]
    assert done[2]["ignored_columns"] == ["CATATAN"]
    found = city.hr.post("/v1/employees/search", {"nip": rows[1][0]}).body["items"]
    assert found[0]["name"] == rows[1][1]


def test_xlsx_is_read_like_csv(city: Programme) -> None:
    """Text cells are NIPs; a number has lost digits and is refused."""
    book = Workbook()
    sheet = book.active
    nip = city.nip()
    for row in (["NIP", "NAMA", "STATUS", "UNIT_KERJA", "TMT"], [nip, "Budi", "PNS", "DISDIK", None]):
        sheet.append(row)
    sheet.append([int(city.nip()), "Ani", "PNS", "DISDIK", None])
    file = io.BytesIO()
    book.save(file)
    done = city.take_in("employees", file.getvalue())
    assert (done["counts"]["created"], done["counts"]["rejected"]) == (1, 1)
    assert [row["field"] for row in city.rejects(done["id"])] == ["nip"]


def test_tmt_dates_each_row(city: Programme) -> None:
    """Nobody is active before it, whatever the file's own date; a date that is none is refused."""
    rows = [(city.nip(), "2016-01-04"), (city.nip(), "04/01/2016"), (city.nip(), ""), (city.nip(), "kemarin")]
    rows.append((city.nip(), "2030-01-01"))
    lines = "".join(f"{nip};Budi;PNS;DISDIK;{tmt}\n" for nip, tmt in rows)
    done = city.take_in("employees", f"{HEADING};TMT\n{lines}", effective_at="2020-01-01T00:00:00+07:00")
    assert (done["counts"]["created"], done["counts"]["rejected"]) == (3, 2)
    found = [city.hr.post("/v1/employees/search", {"nip": nip}).body["items"] for nip, _ in rows[:3]]
    assert [one[0]["effective_at"] for one in found] == [
        "2016-01-03T17:00:00Z",
        "2016-01-03T17:00:00Z",
        "2019-12-31T17:00:00Z",
    ]


def test_dates_are_read_as_people_write_them(city: Programme) -> None:
    """Blamed is TMT, whether it is no date or lies in the future."""
    good = [
        "16-05-2016",
        "16.05.2016",
        "16/5/2016",
        "20160516",
        "16 Mei 2016",
        "16-AUG-2016",
        "2016-05-16 00:00:00",
    ]
    bad = ["31-02-2016", "05/16/2016", "16/05/16", "16 Foo 2016", "0001-01-01", "42506", "2030-01-01"]
    lines = "".join(f"{city.nip()}|Budi|PNS|DISDIK|{tmt}\n" for tmt in [*good, *bad])
    done = city.take_in("employees", f"{HEADING};TMT\n".replace(";", "|") + lines)
    assert done["counts"]["created"] == len(good)
    assert [row["field"] for row in city.rejects(done["id"])] == ["tmt"] * len(bad)


def test_one_bad_cell_rejects_one_row(city: Programme) -> None:
    """Line breaks in cells are blanks; a very long cell or a NUL is its row's fault alone."""
    names = ['"Ni\nLuh"', "A" * 200_000, "B\x00", "Siti", "C" + "\u0301" * 31]
    lines = "".join(f"{city.nip()},{name},PNS,DISDIK\n" for name in names)
    done = city.take_in("employees", f'"NIP",\n"NAMA\n",STATUS,UNIT_KERJA\n{lines}'.replace(',\n"', ',"', 1))
    assert (done["counts"]["created"], done["counts"]["rejected"]) == (2, 3)
    assert {(row["row"], row["field"]) for row in city.rejects(done["id"])} == {(row, "name") for row in "346"}
    assert city.hr.get("/v1/employees?q=luh").body["items"][0]["name"] == "Ni Luh"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "unreadable"),
        (b"PK\x03\x04 no archive", "unreadable"),
        (b"a;b\n1;2\n", "no-headings"),
        (b"\x00\x01", "unreadable"),
    ],
)
def test_a_file_that_is_none_fails_and_stops_nobody(city: Programme, content: bytes, rule: str) -> None:
    """It says why; the next import is done."""
    city.upload("employees", content).expect(202)
    done = city.take_in("employees", f"{HEADING}\n{city.nip()};Budi;PNS;DISDIK\n")
    assert done["counts"]["created"] == 1
    listed = city.hr.get("/v1/imports").body["items"]
    assert {one["state"] for one in listed} == {"done", "failed"}
    assert [one["problem"]["rule"] for one in listed if one["problem"]] == [rule]


def test_an_import_that_a_later_release_left_stops_nobody(city: Programme) -> None:
    """Its kind is not known here: it waits for the release that knows it, with its file, and is in no list."""
    later = city.upload("employees", f"{HEADING}\n".encode()).expect(202).body["id"]
    city.context.store.imports.update_one({"_id": later}, {"$set": {"kind": "needs"}})
    done = city.take_in("employees", f"{HEADING}\n{city.nip()};Budi;PNS;DISDIK\n")
    assert (done["state"], done["counts"]["created"]) == ("done", 1)
    assert [one["id"] for one in city.hr.get("/v1/imports").expect(200).body["items"]] == [done["id"]]
    city.hr.get(f"/v1/imports/{later}").expect(404)
    assert city.context.store.import_files.count_documents({"_id": later}) == 1


def test_rejected_rows_can_be_opened_in_a_spreadsheet(city: Programme) -> None:
    """With their own columns, no formula among them, and reasons in the reader's language."""
    done = city.take_in("employees", f"{HEADING};CATATAN\n{city.nip()};=1+1;PNS;DISDIK;@SUM(A1)\n")
    (english,) = city.rejects(done["id"])
    (indonesian,) = city.rejects(done["id"], "id")
    assert (english["NAMA"], english["CATATAN"]) == ("'=1+1", "'@SUM(A1)")
    assert (english["row"], english["field"]) == ("2", "name")
    assert english["reason"] != indonesian["reason"]
