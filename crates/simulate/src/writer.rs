//! Writes the fails of sites as CSV or STDF V4. The same fails give the same bytes: no time of day is written.

use std::io::{self, Write};

use rust_stdf::stdf_file::StdfWriter;
use rust_stdf::{ByteOrder, FAR, FTR, MIR, MRR, PIR, PRR, StdfError};

/// `TEST_FLG` of an FTR: failed.
const FAILED: u8 = 1 << 7;
/// `PART_FLG` of a PRR: failed.
const PART_FAILED: u8 = 1 << 3;
/// `OPT_FLAG` of an FTR: nothing but REL_VADR is valid, or nothing at all.
const ONLY_ADDRESS: u8 = !(1 << 1);
const NOTHING: u8 = !0;
/// The head at which every part is tested.
const HEAD: u8 = 1;
/// The largest site of STDF.
const MOST_SITE: u32 = u8::MAX as u32;

/// The form of a file of fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailsForm {
    /// Lines of text.
    Csv,
    /// STDF V4, little-endian.
    Stdf,
}

impl FailsForm {
    /// The largest number of a site that the form can have.
    #[must_use]
    pub const fn most_site(self) -> u32 {
        match self {
            Self::Csv => u32::MAX,
            Self::Stdf => MOST_SITE,
        }
    }
}

/// A file of fails that is written: sites in order, each with its runs.
#[derive(Debug)]
pub struct FailsWriter<W> {
    form: FailsForm,
    out: W,
    site: u32,
    /// The runs of the present site, and whether one failed.
    runs: u16,
    has_failed: bool,
}

impl<W: Write> FailsWriter<W> {
    /// Begins a file. `device` and `fault` are names that STDF records.
    ///
    /// # Errors
    /// An error of the output.
    pub fn begin(form: FailsForm, mut out: W, device: &str, fault: &str) -> io::Result<Self> {
        match form {
            FailsForm::Csv => out.write_all(b"site,run,op_uid,result\n")?,
            FailsForm::Stdf => {
                let far = FAR { cpu_type: 2, stdf_ver: 4 };
                // Characters beyond ASCII have no meaning in STDF.
                let text = |name: &str| -> String {
                    name.chars().take(255).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
                };
                let mir = MIR {
                    lot_id: text(fault),
                    part_typ: text(device),
                    job_nam: "nandseqgen simulate".to_owned(),
                    ..MIR::default()
                };
                let mut stdf = StdfWriter::new(&mut out, ByteOrder::LittleEndian);
                stdf.write_record(&far).map_err(failure)?;
                stdf.write_record(&mir).map_err(failure)?;
            }
        }
        Ok(Self { form, out, site: 0, runs: 0, has_failed: false })
    }

    fn stdf(&mut self) -> StdfWriter<&mut W> {
        StdfWriter::new(&mut self.out, ByteOrder::LittleEndian)
    }

    /// The site as STDF has it.
    fn site_num(&self) -> io::Result<u8> {
        u8::try_from(self.site).map_err(|_| invalid(format!("STDF has sites up to {MOST_SITE}, not {}", self.site)))
    }

    /// Begins a site.
    ///
    /// # Errors
    /// An error of the output, or a site that the form cannot have.
    pub fn begin_site(&mut self, site: u32) -> io::Result<()> {
        (self.site, self.runs, self.has_failed) = (site, 0, false);
        match self.form {
            FailsForm::Csv => Ok(()),
            FailsForm::Stdf => {
                let pir = PIR { head_num: HEAD, site_num: self.site_num()? };
                self.stdf().write_record(&pir).map_err(failure)
            }
        }
    }

    /// Writes the failing operations of a run of the site; a run without any passed.
    ///
    /// # Errors
    /// An error of the output, or an operation that the form cannot have.
    pub fn run(&mut self, run: u32, failed: &[u64]) -> io::Result<()> {
        self.runs = self.runs.saturating_add(1);
        self.has_failed |= !failed.is_empty();
        match self.form {
            FailsForm::Csv => {
                let site = self.site;
                if failed.is_empty() {
                    writeln!(self.out, "{site},{run},,pass")?;
                }
                failed.iter().try_for_each(|uid| writeln!(self.out, "{site},{run},{uid},fail"))
            }
            FailsForm::Stdf => {
                let passed = FTR {
                    test_num: run,
                    head_num: HEAD,
                    site_num: self.site_num()?,
                    opt_flag: [NOTHING],
                    ..FTR::default()
                };
                if failed.is_empty() {
                    self.stdf().write_record(&passed).map_err(failure)?;
                }
                failed.iter().try_for_each(|&uid| {
                    let rel_vadr = u32::try_from(uid).map_err(|_| invalid(format!("STDF has no operation {uid}")))?;
                    let ftr = FTR { test_flg: [FAILED], opt_flag: [ONLY_ADDRESS], rel_vadr, ..passed.clone() };
                    self.stdf().write_record(&ftr).map_err(failure)
                })
            }
        }
    }

    /// Ends the site.
    ///
    /// # Errors
    /// An error of the output.
    pub fn end_site(&mut self) -> io::Result<()> {
        match self.form {
            FailsForm::Csv => Ok(()),
            FailsForm::Stdf => {
                let bin = if self.has_failed { 2 } else { 1 };
                let prr = PRR {
                    head_num: HEAD,
                    site_num: self.site_num()?,
                    part_flg: [if self.has_failed { PART_FAILED } else { 0 }],
                    num_test: self.runs,
                    hard_bin: bin,
                    soft_bin: bin,
                    part_id: self.site.to_string(),
                    ..PRR::default()
                };
                self.stdf().write_record(&prr).map_err(failure)
            }
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// An error of the output.
    pub fn finish(mut self) -> io::Result<W> {
        match self.form {
            FailsForm::Csv => {}
            FailsForm::Stdf => self.stdf().write_record(&MRR::default()).map_err(failure)?,
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// An error of the library as one of the output: our records are valid.
fn failure(error: StdfError) -> io::Error {
    io::Error::other(error.msg)
}
