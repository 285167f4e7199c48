"""What people read of periods, in Indonesian and English."""

from infra.problems import Text
from services.reporting.domain.periods import Period

MONTHS = (
    Text("Januari", "January"),
    Text("Februari", "February"),
    Text("Maret", "March"),
    Text("April", "April"),
    Text("Mei", "May"),
    Text("Juni", "June"),
    Text("Juli", "July"),
    Text("Agustus", "August"),
    Text("September", "September"),
    Text("Oktober", "October"),
    Text("November", "November"),
    Text("Desember", "December"),
)
QUARTER = Text("Triwulan {number} {year}", "Quarter {number} {year}")


def label_of(period: Period) -> Text:
    """The period's name: `Mei 2016`, `Triwulan 2 2016`, `2016`."""
    year = period.first[:4]
    if period.grain == "year":
        return Text(year, year)
    if period.grain == "quarter":
        return QUARTER.format(number=period.key[-1], year=year)
    month = MONTHS[int(period.first[5:7]) - 1]
    return Text(f"{month.id} {year}", f"{month.en} {year}")
