"""What the libraries say in English, in both languages; and the titles of problems."""

import re

from infra.problems import Refused, Text

TITLES = {
    400: Text("Permintaan tidak dapat dibaca", "The request can't be read"),
    401: Text("Tanpa pengenal yang sah", "No valid credentials"),
    403: Text("Tidak berhak", "Not allowed"),
    404: Text("Tidak ditemukan", "Not found"),
    405: Text("Metode tidak didukung", "Method not supported"),
    409: Text("Ditolak oleh aturan", "Refused by a rule"),
    412: Text("Data sudah berubah", "It has changed"),
    413: Text("Terlalu besar", "Too large"),
    415: Text("Jenis isi tidak didukung", "Content type not supported"),
    422: Text("Isian tidak sah", "The input is not valid"),
    428: Text("Versi harus disebut", "The version must be given"),
    429: Text("Terlalu banyak permintaan", "Too many requests"),
    500: Text("Kesalahan layanan", "Error in the service"),
    503: Text("Sedang tidak tersedia", "Unavailable at the moment"),
}

HTTP = {
    400: ("bad-request", Text("Permintaan tidak dapat dibaca.", "The request can't be read.")),
    404: ("unknown", Text("Alamat ini tidak ada.", "There is nothing at this address.")),
    405: (
        "method-not-allowed",
        Text("Metode ini tidak didukung di alamat ini.", "This address doesn't support the method."),
    ),
    406: (
        "not-acceptable",
        Text("Bentuk jawaban itu tidak tersedia.", "The answer isn't available in that form."),
    ),
    429: (
        "too-many-requests",
        Text("Terlalu banyak permintaan; tunggu sebentar.", "Too many requests; wait a little."),
    ),
    500: ("internal", Text("Terjadi kesalahan pada layanan.", "Something went wrong in the service.")),
    503: ("unavailable", Text("Sedang tidak tersedia; coba lagi.", "Unavailable at the moment; try again.")),
}

# marshmallow's own sentences. What is not listed is passed on as it is, in English.
_KNOWN = [
    (r"Missing data for required field\.", "Harus diisi.", "Must be given."),
    (r"Field may not be null\.", "Tidak boleh null.", "Must not be null."),
    (r"Unknown field\.", "Isian ini tidak dikenal.", "This field is not known."),
    (r"Invalid input type\.|Invalid type\.", "Jenis datanya tidak sesuai.", "Has the wrong type."),
    (r"Not a valid list\.", "Harus daftar.", "Must be a list."),
    (r"Not a valid mapping type\.", "Harus objek.", "Must be an object."),
    (r"Not a valid (?:string|utf-8 string)\.", "Harus teks.", "Must be text."),
    (r"Not a valid number\.", "Harus angka.", "Must be a number."),
    (r"Number too large\.", "Angkanya terlalu besar.", "The number is too large."),
    (r"Special numeric values .*", "Harus angka biasa.", "Must be an ordinary number."),
    (r"Must be one of: (.*)\.", "Harus salah satu dari: {0}.", "Must be one of: {0}."),
    (
        r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.",
        "Harus {0} sampai {1}.",
        "Must be from {0} to {1}.",
    ),
    (
        r"Must be greater than (\S+) and less than (\S+)\.",
        "Harus lebih dari {0} dan kurang dari {1}.",
        "Must be more than {0} and less than {1}.",
    ),
    (r"Must be greater than or equal to (\S+)\.", "Paling sedikit {0}.", "Must be at least {0}."),
    (r"Must be less than or equal to (\S+)\.", "Paling banyak {0}.", "Must be at most {0}."),
    (r"Must be greater than (\S+)\.", "Harus lebih dari {0}.", "Must be more than {0}."),
    (r"Must be less than (\S+)\.", "Harus kurang dari {0}.", "Must be less than {0}."),
    (
        r"Shorter than minimum length (\d+)\.",
        "Panjangnya paling sedikit {0}.",
        "Its length must be at least {0}.",
    ),
    (
        r"Longer than maximum length (\d+)\.",
        "Panjangnya paling banyak {0}.",
        "Its length must be at most {0}.",
    ),
    (
        r"Length must be between (\d+) and (\d+)\.",
        "Panjangnya harus {0} sampai {1}.",
        "Its length must be from {0} to {1}.",
    ),
    (r"Length must be (\d+)\.", "Panjangnya harus {0}.", "Its length must be {0}."),
    (
        r"String does not match expected pattern\.",
        "Bentuknya tidak sesuai.",
        "Doesn't have the expected form.",
    ),
    (r"Invalid value\.", "Nilainya tidak sah.", "The value is not valid."),
]
_CATALOGUE = [(re.compile(pattern), Text(indonesian, english)) for pattern, indonesian, english in _KNOWN]


def bilingual(message: str | Text) -> Text:
    """The message in both languages."""
    if isinstance(message, Text):
        return message
    for pattern, text in _CATALOGUE:
        if match := pattern.fullmatch(message):
            return Text(text.id.format(*match.groups()), text.en.format(*match.groups()))
    return Text(message, message)


def title_of(refused: Refused) -> Text:
    """A short name for the kind of refusal, the same for all of one status."""
    return TITLES.get(refused.status, TITLES[400 if refused.status < 500 else 500])
