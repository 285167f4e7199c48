"""What `infra.web.fields` take, as patterns for the published schemas: so that a client can know it beforehand.

Lone surrogates are refused, too, but no JSON text can hold one; and that a date exists is what its format says.
"""

UNWANTED = r"\x7f-\x9f\ufeff\u202a-\u202e\u2066-\u2069"
"""Beyond C0 and C1: the byte order mark, and what turns the reading direction around."""
_LINE = rf"\x00-\x1f\u2028\u2029{UNWANTED}"
_PROSE = rf"\x00-\x08\x0b-\x1f{UNWANTED}"
LINE_SHAPE = rf"^[^{_LINE}]*[^\s{_LINE}][^{_LINE}]*$"
PROSE_SHAPE = rf"^(\r\n|[^{_PROSE}])*[^\s{_PROSE}](\r\n|[^{_PROSE}])*$"
BLANK_OR_PROSE_SHAPE = rf"^(\r\n|[^{_PROSE}])*$"
CODE_SHAPE = rf"^[^\s/{_LINE}]([^/{_LINE}]*[^\s/{_LINE}])?$"
UUID_SHAPE = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_DATE = r"(19[0-9][0-9]|2[01][0-9][0-9]|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
DAY_SHAPE = f"^{_DATE}$"
INSTANT_SHAPE = rf"^{_DATE}[Tt]{_CLOCK}:[0-5][0-9](\.[0-9]{{1,9}})?([Zz]|[+-]{_CLOCK})$"
