"""The civil servant's number (NIP): 18 digits that carry birth date, appointment, sex and a serial.

It is personal data: nothing here puts it into a message.
"""

from datetime import date

from infra.problems import Text

DROPPED = str.maketrans("", "", ".-\u2010\u2011")
SERIAL_ZERO = "000"


def normalise(raw: str) -> str:
    """The number without blanks, dots, hyphens and the apostrophe that spreadsheets put in front of numbers."""
    bare = "".join(raw.split())
    if bare[:1] in ("'", "\u2019"):
        bare = bare[1:]
    return bare if bare.isalnum() else bare.translate(DROPPED)


def is_readable(nip: str) -> bool:
    """Whether these are 18 ASCII digits."""
    return len(nip) == 18 and nip.isascii() and nip.isdigit()


def fault(nip: str, status: str, today: date) -> Text | None:
    """What is wrong with a normalised NIP of someone with this status (`pns`, `cpns`, `pppk`); None if nothing.

    today: in Asia/Jakarta; nobody is born after it.
    """
    if not is_readable(nip):
        return Text("NIP harus 18 angka.", "The NIP must be 18 digits.")
    return _birth_fault(nip, today) or _appointment_fault(nip, status) or _rest_fault(nip)


def _birth_fault(nip: str, today: date) -> Text | None:
    try:
        born = date(int(nip[:4]), int(nip[4:6]), int(nip[6:8]))
    except ValueError:
        return Text(
            "Delapan angka pertama NIP bukan tanggal lahir yang ada.",
            "The first eight digits of the NIP are no date of birth.",
        )
    if born > today:
        return Text("Tanggal lahir dalam NIP belum tiba.", "The date of birth in the NIP is in the future.")
    return None


def _appointment_fault(nip: str, status: str) -> Text | None:
    if status != "pppk" and not "01" <= nip[12:14] <= "12":
        return Text(
            "Angka ke-13 dan ke-14 NIP bukan bulan pengangkatan.",
            "Digits 13 and 14 of the NIP are no month of appointment.",
        )
    return None


def _rest_fault(nip: str) -> Text | None:
    if nip[14] not in "12":
        return Text("Angka ke-15 NIP harus 1 atau 2.", "Digit 15 of the NIP must be 1 or 2.")
    if nip[15:] == SERIAL_ZERO:
        return Text("Nomor urut NIP tidak boleh 000.", "The serial of the NIP can't be 000.")
    return None
