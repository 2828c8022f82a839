//! The flags of `simulate`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use nandseq_simulate::FailsForm;

use super::reports::ReadDeviceArgs;
use super::values::whole;

/// The flags of `simulate`.
#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// Folders of sites, or output folders of batches
    #[arg(value_name = "DIR", required_unless_present = "schema")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) device: ReadDeviceArgs,
    /// What fails, and when: a YAML file
    #[arg(long, value_name = "FILE", required_unless_present = "schema")]
    pub(crate) fault: Option<PathBuf>,
    /// The fails to write; a name that ends with `.stdf` or `.std` makes them STDF [default: `fails.csv` or `fails.stdf`; one that is there is not replaced]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Form of the fails [default: as the name of the file says]
    #[arg(long, value_name = "FORM")]
    pub(crate) format: Option<WrittenForm>,
    /// Seed of what is left to chance: intermittent faults, and noise
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole(0..=u64::MAX))]
    pub(crate) seed: u64,
    /// Print the JSON Schema of the YAML file, for editors, and do nothing else
    #[arg(long, conflicts_with_all = ["paths", "fault"])]
    pub(crate) schema: bool,
}

/// Forms of written fails.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum WrittenForm {
    /// Lines of text
    Csv,
    /// STDF V4
    Stdf,
}

impl SimulateArgs {
    /// The form in which the fails are written.
    pub(crate) fn form(&self) -> FailsForm {
        let name = self.output.as_deref().and_then(Path::extension);
        let ending = name.and_then(|ending| ending.to_str()).unwrap_or_default();
        match self.format {
            Some(WrittenForm::Csv) => FailsForm::Csv,
            Some(WrittenForm::Stdf) => FailsForm::Stdf,
            None if ["stdf", "std"].iter().any(|known| ending.eq_ignore_ascii_case(known)) => FailsForm::Stdf,
            None => FailsForm::Csv,
        }
    }

    /// The file that the fails are written to.
    pub(crate) fn written_file(&self) -> &Path {
        let of_form = match self.form() {
            FailsForm::Csv => "fails.csv",
            FailsForm::Stdf => "fails.stdf",
        };
        self.output.as_deref().unwrap_or(Path::new(of_form))
    }
}
