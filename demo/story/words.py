"""The words of the programme: competencies, and sentences as guides and learners would write them."""

from dataclasses import dataclass
from random import Random

LETTERS = "menyusun-surat-dinas"
"""Drafting official letters: the skill that the story of one office is about."""


@dataclass(frozen=True)
class Competency:
    """An attitude (for coaching) or a technique (for mentoring), and what people do when they work on it."""

    code: str
    name: str
    name_en: str
    aspect: str
    description: str
    doings: tuple[str, ...]


def _attitude(code: str, name: str, name_en: str, description: str, *doings: str) -> Competency:
    return Competency(code, name, name_en, "attitude", description, doings)


def _technique(code: str, name: str, name_en: str, description: str, *doings: str) -> Competency:
    return Competency(code, name, name_en, "technique", description, doings)


COMPETENCIES = (
    _attitude(
        "berorientasi-pelayanan",
        "Berorientasi pelayanan",
        "Service-oriented",
        "Memahami kebutuhan warga dan melayani dengan ramah, cekatan, solutif.",
        "membahas pengalaman melayani warga lanjut usia di loket",
        "merefleksikan keluhan warga tentang antrean minggu lalu",
        "bermain peran menghadapi pemohon yang berkasnya belum lengkap",
        "menyusun janji layanan pribadi yang bisa diukur",
    ),
    _attitude(
        "akuntabel",
        "Akuntabel",
        "Accountable",
        "Bertanggung jawab, jujur, dan cermat memakai barang milik daerah.",
        "meninjau catatan kerja harian dan tenggat yang terlewat",
        "membahas cara mencatat pemakaian kendaraan dinas dengan tertib",
        "merefleksikan satu kesalahan entri dan cara mencegahnya",
        "menyepakati daftar periksa sebelum berkas ditandatangani",
    ),
    _attitude(
        "kompeten",
        "Kompeten",
        "Competent",
        "Meningkatkan kompetensi diri dan membantu orang lain belajar.",
        "memetakan keterampilan yang ingin dikuasai triwulan ini",
        "membahas catatan belajar mandiri dari pelatihan daring",
        "berlatih menjelaskan satu tugas kepada rekan baru",
        "merefleksikan umpan balik atasan atas laporan terakhir",
    ),
    _attitude(
        "harmonis",
        "Harmonis",
        "Harmonious",
        "Menghargai setiap orang dan membangun lingkungan kerja yang kondusif.",
        "membahas cara menyampaikan keberatan tanpa menyinggung",
        "berlatih mendengarkan aktif saat rapat tim",
        "merefleksikan salah paham antarseksi dan jalan keluarnya",
        "menyepakati kebiasaan saling menyapa dan memberi kabar",
    ),
    _attitude(
        "loyal",
        "Loyal",
        "Loyal",
        "Menjaga nama baik ASN, pimpinan, instansi, dan negara.",
        "membahas sikap ASN di media sosial",
        "merefleksikan arti menjaga rahasia jabatan",
        "meninjau contoh benturan kepentingan sehari-hari",
        "menyusun komitmen pribadi atas nilai dasar ASN",
    ),
    _attitude(
        "adaptif",
        "Adaptif",
        "Adaptive",
        "Cepat menyesuaikan diri dan terus berinovasi.",
        "membahas perubahan alur kerja setelah aplikasi baru dipakai",
        "mencoba cara baru membagi tugas saat loket ramai",
        "merefleksikan rasa enggan meninggalkan formulir kertas",
        "menggagas satu perbaikan kecil untuk bulan depan",
    ),
    _attitude(
        "kolaboratif",
        "Kolaboratif",
        "Collaborative",
        "Memberi kesempatan berbagai pihak untuk bekerja sama.",
        "memetakan pihak yang perlu diajak bicara sejak awal",
        "menyiapkan pertemuan dengan pengurus RW dan kader PKK",
        "merefleksikan kerja bersama seksi lain yang tersendat",
        "berlatih memandu diskusi agar semua berpendapat",
    ),
    _technique(
        LETTERS,
        "Menyusun surat dinas",
        "Drafting official letters",
        "Menulis surat dinas yang benar bentuk, bahasa, dan kodenya.",
        "menulis ulang surat undangan rapat sesuai tata naskah dinas",
        "menyusun nota dinas permohonan data ke kecamatan",
        "memeriksa kode klasifikasi dan nomor surat keluar",
        "membandingkan konsep surat balasan warga dengan contoh yang baik",
    ),
    _technique(
        "mengelola-arsip",
        "Mengelola arsip dinamis",
        "Managing records",
        "Menata, meminjamkan, dan menyusutkan arsip aktif dan inaktif.",
        "menata berkas aktif per kode klasifikasi",
        "membuat daftar arsip inaktif tahun lalu",
        "berlatih mengisi buku peminjaman berkas",
        "memindai dan menamai berkas agar mudah dicari",
    ),
    _technique(
        "menyusun-telaahan-staf",
        "Menyusun telaahan staf",
        "Writing staff papers",
        "Menguraikan persoalan, fakta, analisis, dan saran kepada pimpinan.",
        "merumuskan pokok persoalan dalam satu kalimat",
        "mengumpulkan fakta dan dasar hukum untuk telaahan",
        "menimbang dua pilihan saran beserta akibatnya",
        "meringkas telaahan lima halaman menjadi dua",
    ),
    _technique(
        "menangani-pengaduan",
        "Menangani pengaduan warga",
        "Handling complaints",
        "Menerima, meneruskan, dan menjawab pengaduan tepat waktu.",
        "menjawab laporan lampu jalan padam dengan bahasa yang jelas",
        "memilah laporan masuk menurut kewenangan",
        "berlatih menelepon pelapor untuk meminta keterangan",
        "mencatat tindak lanjut sampai laporan ditutup",
    ),
    _technique(
        "menyusun-laporan-keuangan",
        "Menyusun laporan keuangan",
        "Preparing financial reports",
        "Menyiapkan pertanggungjawaban dan rekonsiliasi bulanan.",
        "mencocokkan buku kas umum dengan rekening koran",
        "melengkapi bukti perjalanan dinas yang kurang",
        "menyusun laporan pertanggungjawaban uang persediaan",
        "memeriksa sisa anggaran per kegiatan",
    ),
    _technique(
        "mengolah-data",
        "Mengolah data dengan lembar kerja",
        "Working with spreadsheets",
        "Membersihkan, merangkum, dan menyajikan data layanan.",
        "membersihkan daftar penerima bantuan yang ganda",
        "membuat tabel ringkas jumlah layanan per bulan",
        "berlatih rumus pencarian antarlembar",
        "menyajikan grafik kunjungan untuk rapat pagi",
    ),
    _technique(
        "menulis-berita",
        "Menulis berita untuk warga",
        "Writing news for the public",
        "Menulis kabar layanan yang ringkas, benar, dan mudah dipahami.",
        "menulis kabar jadwal layanan keliling dalam tiga paragraf",
        "memilih foto kegiatan dan menulis keterangannya",
        "menyunting siaran pers agar bebas istilah teknis",
        "menyusun jawaban untuk komentar warga",
    ),
    _technique(
        "memberi-penyuluhan",
        "Memberi penyuluhan",
        "Giving outreach talks",
        "Menyiapkan dan membawakan penyuluhan kepada warga.",
        "menyusun alur penyuluhan 20 menit untuk ibu-ibu PKK",
        "berlatih membuka penyuluhan dengan pertanyaan",
        "membuat alat peraga sederhana dari kertas",
        "mengulas rekaman penyuluhan di balai warga",
    ),
)

BY_CODE = {competency.code: competency for competency in COMPETENCIES}
ATTITUDES = tuple(c.code for c in COMPETENCIES if c.aspect == "attitude")
TECHNIQUES = tuple(c.code for c in COMPETENCIES if c.aspect == "technique")

OF_POSITION = {
    "Pengelola Surat": LETTERS,
    "Pengadministrasi Umum": "menangani-pengaduan",
    "Arsiparis": "mengelola-arsip",
    "Analis Kebijakan": "menyusun-telaahan-staf",
    "Penyuluh": "memberi-penyuluhan",
    "Pengelola Keuangan": "menyusun-laporan-keuangan",
    "Pranata Komputer": "mengolah-data",
    "Pranata Humas": "menulis-berita",
}
"""The technique that a position lives by."""

_OPENERS = ("Kami", "Hari ini kami", "Melanjutkan pertemuan lalu, kami", "Bersama berkas minggu ini kami")
_ENDINGS = (
    "Sebagian besar sudah dikerjakan sendiri.",
    "Masih perlu contoh sebelum mencoba sendiri.",
    "Lain kali dicoba tanpa bantuan.",
    "Hasilnya dipakai langsung di seksi.",
    "Ada dua hal yang perlu diulang minggu depan.",
    "Berjalan lancar, tanya jawabnya hidup.",
)
NOTES = (
    "Perlu lebih banyak pujian; mudah ragu bila dikoreksi di depan orang.",
    "Cepat menangkap, boleh diberi tugas yang lebih sulit.",
    "Sedang banyak pekerjaan lain, pertemuan dibuat lebih pendek.",
    "Coba bertanya lebih dulu sebelum memberi jawaban.",
)
ACTIONS = (
    "Membuat satu contoh sendiri sebelum pertemuan berikut",
    "Meminta umpan balik kepala seksi atas hasil hari ini",
    "Membaca kembali pedoman dan mencatat tiga pertanyaan",
    "Mendampingi rekan yang mengerjakan tugas serupa",
    "Menyimpan contoh yang baik di map bersama",
)
COMMENTS = (
    "Penjelasannya mudah diikuti, terima kasih.",
    "Contoh langsung dari pekerjaan kami sangat membantu.",
    "Semoga waktunya bisa sedikit lebih lama.",
    "Sekarang saya lebih percaya diri mengerjakannya.",
)
POTENTIAL = (
    "Sabar membimbing dan dipercaya rekan seksinya; hasil kerjanya rapi.",
    "Berani mencoba cara baru dan mau membagikan pengetahuannya.",
    "Komunikatif, terbiasa memandu rapat, dan tekun menindaklanjuti.",
    "Menguasai tugas seksinya dan telah membantu dua pegawai baru.",
    "Punya gagasan perbaikan layanan dan mampu mengajak pihak luar.",
)


def summary(competency: str, rng: Random) -> str:
    """What a guide notes down after a meeting on this competency: one of 96 ways."""
    return f"{rng.choice(_OPENERS)} {rng.choice(BY_CODE[competency].doings)}. {rng.choice(_ENDINGS)}"


def goal(competency: str, target: int) -> str:
    """The aim that a pairing states."""
    does = "mengerjakannya sendiri" if target == 3 else "mampu mengajarkannya"
    return f"{BY_CODE[competency].name}: {does} dalam pekerjaan sehari-hari."
