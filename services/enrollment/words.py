"""What the things of enrollment are called in refusals."""

from infra.problems import Refused, Text

UNIT = Text("Unit", "The unit")
EMPLOYEE = Text("Pegawai", "The employee")
COMPETENCY = Text("Kompetensi", "The competency")
NEED = Text("Kebutuhan", "The need")
BATCH = Text("Angkatan", "The batch")
PARTICIPANT = Text("Peserta", "The participant")
CERTIFICATE = Text("Sertifikat", "The certificate")
APPROVAL = Text("Persetujuan", "The approval")
PAIRING = Text("Pasangan bimbingan", "The pairing")
GUIDE = Text("Pembimbing", "The guide")
LEARNER = Text("Pegawai yang dibimbing", "The learner")
IMPORT = Text("Impor", "The import")


def missing(rule: str, what: Text) -> Refused:
    """409 for a reference in a body to something that isn't recorded: `employee-unknown` and the like."""
    return Refused(rule, Text(f"{what.id} tidak dikenal.", f"{what.en} is not known."))
