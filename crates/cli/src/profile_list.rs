//! `nandseqgen profile list`: the built-in device and the profiles in files and folders, a line each.

use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::counted;
use nandseq_profile::{Diagnostics, Profile, Severity};
use nandseq_trace::recorded::shown;
use serde::Serialize;

use crate::arguments::{ListArgs, ReportFormat};
use crate::failure::{Failure, Problem};
use crate::{inputs, json, terminal};

/// Lists profiles.
pub(crate) fn run(arguments: &ListArgs) -> Result<(), Failure> {
    let mut profiles = vec![Listed::of(None)?];
    for path in &arguments.paths {
        for file in files(path)? {
            profiles.push(Listed::of(Some(&file))?);
        }
    }
    if arguments.format == ReportFormat::Json {
        return json::print(&List { schema: 1, command: "profile list", version: env!("CARGO_PKG_VERSION"), profiles });
    }
    let width = profiles.iter().map(|one| one.source.chars().count()).max().unwrap_or(0);
    let line = |one: &Listed| format!("{:width$}  {}\n", one.source, one.words());
    terminal::print(&profiles.iter().map(line).collect::<String>())
}

/// A file by itself, or what has the ending of a profile in a folder, in order of names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |reason| Problem::unreadable("folder", path, &reason);
    let mut files = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The answer as JSON.
#[derive(Serialize)]
struct List {
    schema: u32,
    command: &'static str,
    version: &'static str,
    profiles: Vec<Listed>,
}

/// A file that was looked at.
#[derive(Serialize)]
struct Listed {
    /// Its path, or the name of the built-in device.
    source: String,
    /// The device that it describes; `null` if it cannot be used.
    device: Option<Device>,
    errors: usize,
    warnings: usize,
}

/// A device, by its size.
#[derive(Serialize)]
struct Device {
    name: String,
    dies: u32,
    planes: u32,
    blocks_per_die: u32,
    pages_per_block: u32,
    cell_types: Vec<String>,
    operations: usize,
}

impl Listed {
    /// Looks at a file; without one at the built-in device.
    fn of(path: Option<&Path>) -> Result<Self, Failure> {
        let source = path.map_or_else(|| inputs::BUILT_IN.to_owned(), shown);
        let (device, remarks) = match inputs::profile(path, false) {
            Ok(read) => (Some(Device::of(&read.profile)), read.remarks),
            Err(Failure::Faulty(faulty)) => (None, faulty.1),
            Err(other) => return Err(other),
        };
        let count = |severity| remarks_of(&remarks, severity);
        Ok(Self { source, device, errors: count(Severity::Error), warnings: count(Severity::Warning) })
    }

    fn words(&self) -> String {
        match &self.device {
            None => format!("no profile that can be used: {}", counted(self.errors as u64, "error")),
            Some(device) => {
                let size = [
                    counted(device.dies.into(), "die"),
                    counted(device.planes.into(), "plane"),
                    counted(device.blocks_per_die.into(), "block"),
                    counted(device.pages_per_block.into(), "page"),
                ];
                let warned = match self.warnings {
                    0 => String::new(),
                    count => format!("; {}", counted(count as u64, "warning")),
                };
                let (size, cells) = (size.join(" × "), device.cell_types.join(" "));
                format!("{}: {size}, {cells}, {}{warned}", device.name, counted(device.operations as u64, "operation"))
            }
        }
    }
}

impl Device {
    fn of(profile: &Profile) -> Self {
        let topology = &profile.topology;
        Self {
            name: profile.name.clone(),
            dies: topology.dies,
            planes: topology.planes,
            blocks_per_die: topology.blocks_per_die,
            pages_per_block: topology.pages_per_block,
            cell_types: profile.cell_types.iter().map(|cell_type| cell_type.name.clone()).collect(),
            operations: profile.ops.len(),
        }
    }
}

fn remarks_of(remarks: &Diagnostics, severity: Severity) -> usize {
    remarks.iter().filter(|remark| remark.severity == severity).count()
}
