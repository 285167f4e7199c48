"""The sentences of this service's refusals, for people who read Indonesian or English."""

from infra.problems import Text

SESSION = Text("Sesi", "The session")
PAIRING = Text("Pasangan bimbingan", "The pairing")
EMPLOYEE = Text("Pegawai", "The employee")
ENDORSEMENT = Text("Permintaan pengesahan", "The endorsement")

IN_FUTURE = Text(
    "Sesi yang sudah berlangsung tidak boleh dimulai di masa depan.",
    "A session that was held can't start in the future.",
)
NOT_THE_GUIDE = Text(
    "Hanya pembimbing dari pasangan ini yang boleh melakukannya.",
    "Only the guide of this pairing may do this.",
)
NOT_THE_LEARNER = Text(
    "Hanya yang dibimbing yang boleh melakukannya.",
    "Only the learner of this session may do this.",
)
PAIRING_UNKNOWN = Text(
    "Pasangan bimbingan ini belum sampai di sini; kirim lagi nanti.",
    "This pairing has not reached this service yet; send the session again later.",
)
PAIRING_NOT_ACTIVE = Text(
    "Pasangan bimbingan tidak aktif pada saat sesi dimulai.",
    "The pairing was not active when the session started.",
)
PAIRING_FIXED = Text(
    "Sesi tidak dapat dipindahkan ke pasangan bimbingan lain.",
    "A session can't be moved to another pairing.",
)
OVERLAP = Text(
    "Sesi ini bertumpuk 5 menit atau lebih dengan sesi lain dari pembimbing atau yang dibimbing.",
    "It overlaps another session of the guide or the learner by 5 minutes or more.",
)
ENDORSED = Text(
    "Tingkat dari sesi ini sudah disahkan: waktu, lama, dan tingkatnya tidak dapat diubah lagi.",
    "The level of this session is endorsed: its time, minutes and level can't change any more.",
)
BACK_TO_PLANNED = Text(
    "Sesi yang sudah berlangsung tidak dapat kembali menjadi rencana.",
    "A session that was held can't go back to planned.",
)
CANCELLED_IS_FINAL = Text("Sesi ini sudah dibatalkan.", "This session is cancelled; that is final.")
STEP = Text(
    "Dari keadaan {state} tidak dapat menjadi {to}.",
    "It can't go from {state} to {to}.",
)
EFFECTIVE_ORDER = Text(
    "Tanggal berlaku mendahului langkah sebelumnya.",
    "The effective time precedes the previous step.",
)
EFFECTIVE_NOT_YOURS = Text(
    "Hanya BKPSDM yang boleh memberi tanggal berlaku.",
    "Only HR may give an effective time.",
)
HR_DECIDES = Text(
    "Hanya BKPSDM yang boleh memutuskannya; pembimbing memperbaiki isi sesi.",
    "Only HR may decide this; the guide corrects the session instead.",
)
REASON_NEEDED = Text("Sanggahan memerlukan alasan.", "A dispute needs a reason.")
FEEDBACK_ON_CONFIRM = Text(
    "Umpan balik hanya diberikan bersama konfirmasi.",
    "Feedback is given with a confirmation only.",
)
OWN_MASTERY = Text(
    "Pembimbing dan yang dibimbing tidak boleh mengesahkan penguasaan ini sendiri.",
    "The guide and the learner can't decide on this mastery themselves.",
)
NOT_THE_ENDORSER = Text(
    "Keputusan ini milik atasan yang diminta atau BKPSDM.",
    "The decision belongs to the supervisor who was asked, or to HR.",
)
BUSY = Text(
    "Terlalu banyak perubahan pada saat yang sama; coba lagi sebentar lagi.",
    "Too many changes at the same moment; try again shortly.",
)
NOT_YOUR_REPORT = Text(
    "Hanya untuk yang bersangkutan, atasannya, dan BKPSDM.",
    "Only for the person, their supervisors and HR.",
)
TOO_MANY = Text(
    "Paling banyak {most} sesi dan transisi sekaligus.",
    "At most {most} sessions and transitions at a time.",
)
