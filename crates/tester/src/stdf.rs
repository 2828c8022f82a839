//! Fails as STDF V4: an FTR for each answer, between the PIR and the PRR of its part.
//!
//! Both byte orders are read. Records that say nothing of a run are passed over, whatever they are. An FTR that was not executed, or that has no
//! pass/fail indication, is no answer. A file must be whole: it ends with its MRR, and every part has a PRR. So a cut file is an error,
//! wherever it is cut.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use nandseq_profile::diagnostic::nearest;
use rust_stdf::stdf_record_type::{REC_FAR, REC_FTR, REC_MRR, REC_PIR, REC_PRR};
use rust_stdf::{ByteOrder, FAR, FTR, PIR, PRR, RecordHeader};

use crate::answer::{Answer, FailRecord, FailsError, PartResult, RecordKind};
use crate::field_map::FieldMap;

/// The version of STDF that is read.
const VERSION: u8 = 4;
/// The second record is an MIR, or one of the small ones that may come before it, and at most this long.
const MOST_OF_SECOND: u16 = 8_192;
/// `TEST_FLG`: the test was not executed, or there is no pass/fail indication.
const NO_RESULT: u8 = 1 << 4 | 1 << 6;
/// `TEST_FLG`: the test failed.
const FAILED: u8 = 1 << 7;
/// The bytes of an FTR up to `TEST_FLG`, and up to `OPT_FLAG`.
const UP_TO_RESULT: usize = 7;
const UP_TO_OPTIONS: usize = 8;

/// A field of an FTR that holds a number.
struct NumberField {
    name: &'static str,
    /// Where it ends in the record.
    end: usize,
    /// The bits of `OPT_FLAG` that say that it is invalid.
    invalid: u8,
    get: fn(&FTR) -> i64,
}

const fn field(name: &'static str, end: usize, invalid: u8, get: fn(&FTR) -> i64) -> NumberField {
    NumberField { name, end, invalid, get }
}

const NUMBERS: [NumberField; 10] = [
    field("TEST_NUM", 4, 0, |ftr| ftr.test_num.into()),
    field("HEAD_NUM", 5, 0, |ftr| ftr.head_num.into()),
    field("SITE_NUM", 6, 0, |ftr| ftr.site_num.into()),
    field("CYCL_CNT", 12, 1, |ftr| ftr.cycl_cnt.into()),
    field("REL_VADR", 16, 1 << 1, |ftr| ftr.rel_vadr.into()),
    field("REPT_CNT", 20, 1 << 2, |ftr| ftr.rept_cnt.into()),
    field("NUM_FAIL", 24, 1 << 3, |ftr| ftr.num_fail.into()),
    field("XFAIL_AD", 28, 1 << 4, |ftr| ftr.xfail_ad.into()),
    field("YFAIL_AD", 32, 1 << 4, |ftr| ftr.yfail_ad.into()),
    field("VECT_OFF", 34, 1 << 5, |ftr| ftr.vect_off.into()),
];

/// A field of an FTR that holds a text, which may be a number.
type TextField = (&'static str, fn(&FTR) -> &str);

const TEXTS: [TextField; 7] = [
    ("VECT_NAM", |ftr| ftr.vect_nam.as_str()),
    ("TIME_SET", |ftr| ftr.time_set.as_str()),
    ("OP_CODE", |ftr| ftr.op_code.as_str()),
    ("TEST_TXT", |ftr| ftr.test_txt.as_str()),
    ("ALARM_ID", |ftr| ftr.alarm_id.as_str()),
    ("PROG_TXT", |ftr| ftr.prog_txt.as_str()),
    ("RSLT_TXT", |ftr| ftr.rslt_txt.as_str()),
];

/// A field from which a number is read.
#[derive(Clone, Copy)]
enum FtrField {
    Number(&'static NumberField),
    Text(TextField),
}

impl FtrField {
    fn find(name: &str) -> Result<Self, FailsError> {
        let number = NUMBERS.iter().find(|one| one.name == name).map(Self::Number);
        let text = || TEXTS.into_iter().find(|one| one.0 == name).map(Self::Text);
        number.or_else(text).ok_or_else(|| {
            let names: Vec<&str> = NUMBERS.iter().map(|one| one.name).chain(TEXTS.map(|one| one.0)).collect();
            let help = nearest(name, names.iter().copied())
                .map_or_else(|| format!("it has {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
            FailsError::of_file(format!("no field `{name}` of an FTR can be read")).with_help(help)
        })
    }

    fn of_map(mapped: Option<&str>, usual: &[&str]) -> Result<Vec<Self>, FailsError> {
        mapped.map_or_else(|| usual.iter().map(|name| Self::find(name)).collect(), |name| Ok(vec![Self::find(name)?]))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Number(field) => field.name,
            Self::Text((name, _)) => name,
        }
    }

    /// The number in the field; `None` if the record does not have it.
    fn value(self, ftr: &FTR, length: usize, record: FailRecord) -> Result<Option<u64>, FailsError> {
        let wrong = |text: &str| {
            FailsError::at(record, format!("{} is no whole number: `{}`", self.name(), text.escape_debug()))
        };
        match self {
            Self::Number(field) => {
                let options = if length >= UP_TO_OPTIONS { ftr.opt_flag[0] } else { u8::MAX };
                if length < field.end || options & field.invalid != 0 {
                    return Ok(None);
                }
                let value = (field.get)(ftr);
                u64::try_from(value).map(Some).map_err(|_| wrong(&value.to_string()))
            }
            Self::Text((_, get)) => {
                let text = get(ftr).trim();
                if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| wrong(text)) }
            }
        }
    }
}

/// The fields that answers are read from; the first that a record has counts.
struct FtrFields {
    site: Vec<FtrField>,
    run: Vec<FtrField>,
    op_uid: Vec<FtrField>,
}

impl FtrFields {
    fn of(map: &FieldMap) -> Result<Self, FailsError> {
        if map.result.is_some() || map.part.is_some() {
            let message =
                "in STDF, TEST_FLG says the result and the PIR the part: --map names no other fields for them";
            return Err(FailsError::of_file(message));
        }
        Ok(Self {
            site: FtrField::of_map(map.site.as_deref(), &["SITE_NUM"])?,
            run: FtrField::of_map(map.run.as_deref(), &["TEST_NUM"])?,
            op_uid: FtrField::of_map(map.op_uid.as_deref(), &["REL_VADR", "CYCL_CNT"])?,
        })
    }
}

fn value(fields: &[FtrField], ftr: &FTR, length: usize, record: FailRecord) -> Result<Option<u64>, FailsError> {
    for field in fields {
        if let Some(value) = field.value(ftr, length, record)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn needed(what: &str, fields: &[FtrField], ftr: &FTR, length: usize, at: FailRecord) -> Result<u32, FailsError> {
    let missing = || {
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        FailsError::at(at, format!("it does not say the {what}: {} is absent", names.join(" and ")))
    };
    let value = value(fields, ftr, length, at)?.ok_or_else(missing)?;
    u32::try_from(value).map_err(|_| FailsError::at(at, format!("there is no {what} {value}")))
}

/// The records of a file, one after another.
struct StdfRecords<R> {
    input: R,
    order: ByteOrder,
    /// The number of the present record, from 1.
    number: u64,
    header: RecordHeader,
    bytes: Vec<u8>,
}

impl<R: BufRead> StdfRecords<R> {
    /// Opens a file whose first byte is that of a FAR, and reads the FAR.
    fn open(input: R) -> Result<Self, FailsError> {
        let mut records = Self {
            input,
            order: ByteOrder::LittleEndian,
            number: 0,
            header: RecordHeader::default(),
            bytes: Vec::new(),
        };
        let mut first = [0; 4];
        let found = fill(&mut records.input, &mut first)?;
        let begun = |whole: [u8; 4]| first[..found] == whole[..found];
        records.order = if begun([0, 2, 0, 10]) { ByteOrder::BigEndian } else { ByteOrder::LittleEndian };
        if !begun([2, 0, 0, 10]) && !begun([0, 2, 0, 10]) {
            let help = "save fails as CSV in UTF-8, or as STDF V4";
            return Err(FailsError::of_file("this is neither CSV nor STDF").with_help(help));
        }
        records.number = 1;
        records.take(first, found)?;
        let mut far = FAR::default();
        far.read_from_bytes(&records.bytes, &records.order);
        let (cpu, version) = (far.cpu_type, far.stdf_ver);
        if version != VERSION {
            return Err(records.wrong(format!("this is STDF of version {version}, and version {VERSION} is read")));
        }
        let order = if records.order == ByteOrder::BigEndian { "big" } else { "little" };
        if (cpu, order) == (1, "little") || (cpu, order) == (2, "big") {
            let message = format!("CPU_TYPE {cpu} says another byte order than its length, which is {order}-endian");
            return Err(records.wrong(message));
        }
        Ok(records)
    }

    /// Reads the next record; false at the end of the file.
    fn next(&mut self) -> Result<bool, FailsError> {
        let mut header = [0; 4];
        let found = fill(&mut self.input, &mut header)?;
        if found == 0 {
            return Ok(false);
        }
        self.number += 1;
        self.take(header, found)?;
        Ok(true)
    }

    /// Reads the bytes of a record, of whose header `found` bytes were there.
    fn take(&mut self, header: [u8; 4], found: usize) -> Result<(), FailsError> {
        if found < header.len() {
            return Err(cut(&format!("it has {found} of the 4 bytes of the header of record {}", self.number)));
        }
        // Four bytes are always a header.
        self.header = RecordHeader::new().read_from_bytes(&header, &self.order).unwrap_or_default();
        if self.number == 2 && self.header.len > MOST_OF_SECOND && self.header.len.swap_bytes() <= MOST_OF_SECOND {
            return Err(self.wrong("its length is of another byte order than the FAR says"));
        }
        let length = usize::from(self.header.len);
        self.bytes.resize(length, 0);
        let found = fill(&mut self.input, &mut self.bytes)?;
        if found < length {
            return Err(cut(&format!("it has {found} of the {length} bytes of {}", self.record())));
        }
        Ok(())
    }

    const fn record(&self) -> FailRecord {
        FailRecord { kind: RecordKind::Stdf { typ: self.header.typ, sub: self.header.sub }, number: self.number }
    }

    fn wrong(&self, what: impl Into<String>) -> FailsError {
        FailsError::at(self.record(), what)
    }
}

fn cut(how: &str) -> FailsError {
    FailsError::of_file(format!("the file is cut: {how}"))
}

/// Fills a buffer as far as the input reaches.
fn fill(input: &mut impl BufRead, buffer: &mut [u8]) -> Result<usize, FailsError> {
    let mut found = 0;
    while found < buffer.len() {
        match input.read(&mut buffer[found..]) {
            Ok(0) => break,
            Ok(read) => found += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FailsError::unreadable(&error)),
        }
    }
    Ok(found)
}

/// The parts that are being tested.
#[derive(Default)]
struct PartsInTest {
    /// By head and site, the number of the part among those of the site.
    open: BTreeMap<(u8, u8), u32>,
    /// By site, how many there were.
    seen: BTreeMap<u8, u32>,
}

impl PartsInTest {
    fn begin(&mut self, place: (u8, u8)) -> Result<(), String> {
        let seen = self.seen.entry(place.1).or_default();
        *seen += 1;
        match self.open.insert(place, *seen) {
            None => Ok(()),
            Some(_) => {
                Err(format!("a part begins at head {}, site {} before the one there has ended", place.0, place.1))
            }
        }
    }

    fn end(&mut self, place: (u8, u8)) -> Result<(), String> {
        let none = || format!("a part ends at head {}, site {}, and none had begun", place.0, place.1);
        self.open.remove(&place).map(|_| ()).ok_or_else(none)
    }
}

/// Reads the answers of an STDF file.
pub(crate) fn read(
    input: impl BufRead,
    map: &FieldMap,
    each: &mut dyn FnMut(Answer) -> Result<(), FailsError>,
) -> Result<(), FailsError> {
    let fields = FtrFields::of(map)?;
    let mut records = StdfRecords::open(input)?;
    let mut parts = PartsInTest::default();
    let mut is_over = false;
    while records.next()? {
        if is_over {
            let help = "it must be the last one: read files that were joined one by one";
            return Err(records.wrong("it follows the MRR").with_help(help));
        }
        match records.header.get_type() {
            REC_FAR => return Err(records.wrong("only the first record is a FAR")),
            REC_PIR => {
                let mut pir = PIR::default();
                pir.read_from_bytes(&records.bytes, &records.order);
                records.at_place(2, (pir.head_num, pir.site_num), |place| parts.begin(place))?;
            }
            REC_PRR => {
                let mut prr = PRR::default();
                prr.read_from_bytes(&records.bytes, &records.order);
                records.at_place(2, (prr.head_num, prr.site_num), |place| parts.end(place))?;
            }
            REC_FTR => {
                if let Some(answer) = records.answer(&fields, &parts)? {
                    each(answer)?;
                }
            }
            REC_MRR => is_over = true,
            _ => {}
        }
    }
    if let Some((head, site)) = parts.open.into_keys().next() {
        return Err(FailsError::of_file(format!(
            "the file is cut after record {}: the part at head {head}, site {site} has no PRR",
            records.number
        )));
    }
    if is_over { Ok(()) } else { Err(cut(&format!("its last record is {}, and no MRR", records.record()))) }
}

impl<R: BufRead> StdfRecords<R> {
    /// Does something at the head and site of a record that needs at least `least` bytes.
    fn at_place(
        &self,
        least: usize,
        place: (u8, u8),
        act: impl FnOnce((u8, u8)) -> Result<(), String>,
    ) -> Result<(), FailsError> {
        if self.bytes.len() < least {
            return Err(self.wrong(format!("it has {} bytes, and needs at least {least}", self.bytes.len())));
        }
        act(place).map_err(|what| self.wrong(what))
    }

    /// The answer of an FTR, if it is one.
    fn answer(&self, fields: &FtrFields, parts: &PartsInTest) -> Result<Option<Answer>, FailsError> {
        let mut ftr = FTR::default();
        ftr.read_from_bytes(&self.bytes, &self.order);
        let (record, length) = (self.record(), self.bytes.len());
        let mut part = 0;
        self.at_place(UP_TO_RESULT, (ftr.head_num, ftr.site_num), |place| {
            let none = || format!("it is of a part at head {}, site {}, and none had begun", place.0, place.1);
            part = *parts.open.get(&place).ok_or_else(none)?;
            Ok(())
        })?;
        if ftr.test_flg[0] & NO_RESULT != 0 {
            return Ok(None);
        }
        let result = match ftr.test_flg[0] & FAILED {
            0 => PartResult::Passed,
            _ => PartResult::Failed { op_uid: value(&fields.op_uid, &ftr, length, record)? },
        };
        let site = needed("site", &fields.site, &ftr, length, record)?;
        let run = needed("run", &fields.run, &ftr, length, record)?;
        Ok(Some(Answer { site, part, run, result, record }))
    }
}
