// What people read on the page, in both languages. Names of figures come from the service.

const WORDS = {
  id: {
    skip: "Langsung ke isi", tagline: "Program coaching & mentoring · Kota Tangerang",
    unit: "Unit kerja", grain: "Rentang", period: "Periode", year: "Tahun", quarter: "Triwulan", month: "Bulan",
    language: "Bahasa", leave: "Keluar", welcome: "Angka program pembinaan",
    explain: "Tempelkan token Anda. Token hanya disimpan di tab ini dan hilang saat tab ditutup.",
    token: "Token", enter: "Buka", cards: "Indikator", close: "Tutup", more: "Muat lagi",
    sessionsByMonth: "Sesi terkonfirmasi per bulan", hoursByMonth: "Jam bimbingan per bulan",
    reachByMonth: "Pegawai yang dibimbing per bulan", funnel: "Pelatihan perwakilan",
    gaps: "Kebutuhan dan kesenjangan per unit", metToo: "Tampilkan juga yang sudah terpenuhi",
    gapsNote: "Orang yang masih kurang pada akhir periode, dan dibandingkan dengan akhir periode sebelumnya.",
    foot: "Angka dihitung di unit tempat pegawai berada pada hari itu. Halaman ini tidak memeringkat siapa pun.",
    coaching: "Coaching", mentoring: "Mentoring", hours: "Jam", people: "Orang", records: "Lihat catatan",
    recordsAt: "Alamat:", asTable: "Angka dalam tabel", before: "sebelumnya {x}", noBefore: "belum ada pembanding",
    withheld: "ditahan (1–4 orang)", of: "{a} dari {b}", none: "Tidak ada yang kurang pada periode ini.",
    noNeeds: "Belum ada kebutuhan yang dinyatakan pada periode ini.", noTraining: "Tidak ada angkatan yang mulai pada periode ini.",
    noRecords: "Tidak ada catatan.", competency: "Kompetensi", level: "Tingkat", needed: "Perlu", have: "Ada",
    missing: "Kurang", change: "Perubahan", same: "tetap", type: "Jenis", at: "Waktu", part: "Bagian", id: "Id",
    asOf: "Keadaan {x}.", upToDate: "Semua data sudah terbaca.", behind: "{n} kejadian belum terbaca.",
    hidden: "Ada angka yang ditahan agar tidak menunjuk orang tertentu.",
    expired: "Token ditolak atau kedaluwarsa. Mintalah yang baru.", forbidden: "Token ini tidak berhak melihat angka.",
    trouble: "Layanan tidak dapat dihubungi. Coba lagi sebentar lagi.", empty: "Belum ada data unit kerja.",
    levels: ["tidak ada", "tahu", "dengan bantuan", "mandiri", "dapat mengajar"],
    types: { session: "Sesi", credit: "JP", employee: "Pegawai", participant: "Peserta", need: "Kebutuhan", endorsement: "Penguasaan" },
    units: { multiplier: "per perwakilan", jp_mean: "JP", hours: "jam" },
    madeOf: {
      unit_coverage: "{a} dari {b} unit", reach: "{a} dari {b} pegawai", jp_20_share: "{a} dari {b} pegawai",
      confirmation_rate: "{a} dari {b} sesi", multiplier: "{a} pegawai · {b} perwakilan", jp_mean: "{a} JP · {b} pegawai",
    },
    lastTraining: "Lihat {x}",
    funnelParts: { nominated: "Diusulkan", accepted: "Diterima", attended: "Hadir", certified: "Bersertifikat" },
  },
  en: {
    skip: "Skip to content", tagline: "Coaching & mentoring programme · Kota Tangerang",
    unit: "Unit", grain: "Span", period: "Period", year: "Year", quarter: "Quarter", month: "Month",
    language: "Language", leave: "Leave", welcome: "Figures of the programme",
    explain: "Paste your token. It is kept in this tab only and is gone when the tab is closed.",
    token: "Token", enter: "Open", cards: "Figures", close: "Close", more: "Load more",
    sessionsByMonth: "Confirmed sessions by month", hoursByMonth: "Hours of guidance by month",
    reachByMonth: "People guided by month", funnel: "Training of representatives",
    gaps: "Needs and gaps by unit", metToo: "Show those that are met, too",
    gapsNote: "People still missing at the end of the period, compared with the end of the one before.",
    foot: "Figures count in the unit where people were on that day. This page ranks nobody.",
    coaching: "Coaching", mentoring: "Mentoring", hours: "Hours", people: "People", records: "See the records",
    recordsAt: "Address:", asTable: "Figures as a table", before: "{x} before", noBefore: "nothing to compare with",
    withheld: "withheld (1–4 people)", of: "{a} of {b}", none: "Nobody is missing in this period.",
    noNeeds: "No needs were stated in this period.", noTraining: "No batch starts in this period.",
    noRecords: "There are no records.", competency: "Competency", level: "Level", needed: "Needed", have: "There",
    missing: "Missing", change: "Change", same: "same", type: "Kind", at: "Time", part: "Part", id: "Id",
    asOf: "As of {x}.", upToDate: "Everything has been read.", behind: "{n} events are still to be read.",
    hidden: "Some figures are withheld so that they point at nobody.",
    expired: "The token was refused or has expired. Ask for a new one.", forbidden: "This token may not see figures.",
    trouble: "The service can't be reached. Try again shortly.", empty: "There are no units yet.",
    levels: ["none", "knows it", "with help", "alone", "can teach it"],
    types: { session: "Session", credit: "JP", employee: "Person", participant: "Participant", need: "Need", endorsement: "Mastery" },
    units: { multiplier: "per representative", jp_mean: "JP", hours: "hours" },
    madeOf: {
      unit_coverage: "{a} of {b} units", reach: "{a} of {b} people", jp_20_share: "{a} of {b} people",
      confirmation_rate: "{a} of {b} sessions", multiplier: "{a} people · {b} representatives", jp_mean: "{a} JP · {b} people",
    },
    lastTraining: "See {x}",
    funnelParts: { nominated: "Nominated", accepted: "Accepted", attended: "Attended", certified: "Certified" },
  },
};

const LOCALES = { id: "id-ID", en: "en-GB" };
let language = localStorage.getItem("bina.language") === "en" ? "en" : "id";

export const currentLanguage = () => language;

export function speak(chosen) {
  language = chosen;
  localStorage.setItem("bina.language", chosen);
}

export const say = (key) => WORDS[language][key];

export const fill = (key, values) => say(key).replace(/\{(\w+)\}/g, (_, name) => values[name]);

export const number = (value, places = 0) =>
  new Intl.NumberFormat(LOCALES[language], { minimumFractionDigits: 0, maximumFractionDigits: places }).format(value);

export const percent = (value) =>
  new Intl.NumberFormat(LOCALES[language], { style: "percent", maximumFractionDigits: 1 }).format(value);

export const moment = (text) =>
  new Intl.DateTimeFormat(LOCALES[language], { dateStyle: "long", timeStyle: "short", timeZone: "Asia/Jakarta" }).format(new Date(text));

export const monthName = (month, form = "long") =>
  new Intl.DateTimeFormat(LOCALES[language], { month: form, timeZone: "UTC" }).format(new Date(`${month}-15T00:00:00Z`));

// Codes are never translated; they are only made easier to read.
export const readable = (code) => code.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase());
