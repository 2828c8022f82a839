//! `nandseqgen verify`: judges written sequences and shows what breaks which rule.
//!
//! Sites are judged in parallel and shown in order. A sequence alone is enough; a manifest beside it is believed about
//! which files belong together, and checked against them.

mod sites;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::files::{Digest, Hasher};
use nandseq_trace::manifest::{FileRecord, Input, Origin};
use nandseq_trace::read::{Addressed, ReadError, SequenceReader};
use nandseq_verify::{Finding, OperationRef, RuleCode, Verifier};
use rayon::prelude::*;

use self::sites::{SequenceFile, SiteFiles};
use crate::arguments::VerifyArgs;
use crate::failure::{Failure, Problem};
use crate::progress::plural;
use crate::{badlist, inputs, profiles};

/// What was found on a site.
struct Verdict {
    text: String,
    operations: u64,
    findings: u64,
}

/// Judges everything the arguments name.
pub(crate) fn run(arguments: &VerifyArgs) -> Result<(), Failure> {
    let sites = sites::find(&arguments.paths)?;
    let read = inputs::profile(arguments.config.as_deref(), arguments.lenient)?;
    let origins: Vec<&Origin> = sites.iter().filter_map(|site| site.origin.as_ref()).collect();
    for origin in &origins {
        same_profile(origin, &read.input.resolved_sha256)?;
    }
    let bad_blocks = bad_blocks(arguments, origins.first().and_then(|origin| origin.badlist.as_ref()), &read.profile)?;
    let threads = crate::execute::threads(arguments.jobs)?;
    let verdicts: Result<Vec<Verdict>, Failure> = threads.install(|| {
        let judged = sites.par_iter().with_max_len(1);
        judged.map(|site| judge(site, &read.profile, &bad_blocks, arguments.max_findings)).collect()
    });
    let verdicts = verdicts?;
    let mut text: String = verdicts.iter().map(|verdict| verdict.text.as_str()).collect();
    let (count, findings) = (verdicts.len() as u64, verdicts.iter().map(|verdict| verdict.findings).sum());
    let operations: u64 = verdicts.iter().map(|verdict| verdict.operations).sum();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{count} site{}, {operations} operations: {}", plural(count), found(findings));
    profiles::print(&text)?;
    if findings == 0 { Ok(()) } else { Err(Failure::RulesBroken) }
}

fn found(findings: u64) -> String {
    match findings {
        0 => "no rule broken".to_owned(),
        count => format!("{count} finding{}", plural(count)),
    }
}

/// A sequence can only be judged by the profile it was made for.
fn same_profile(origin: &Origin, resolved_sha256: &str) -> Result<(), Failure> {
    if origin.profile.resolved_sha256 == resolved_sha256 {
        return Ok(());
    }
    let message = format!("the manifest says that this was made for another profile, `{}`", origin.profile.name);
    let source = &origin.profile.source;
    let help = if source == inputs::BUILT_IN {
        "it was the built-in device: leave --config out".to_owned()
    } else {
        format!("name that profile, as it was then: --config {source}")
    };
    Err(Problem::new(message).help(help).into())
}

/// The bad blocks named, or those the manifest names.
fn bad_blocks(
    arguments: &VerifyArgs,
    recorded: Option<&Input>,
    profile: &Profile,
) -> Result<Vec<(Die, Block)>, Failure> {
    let path = match (&arguments.badlist, recorded) {
        (Some(path), _) => path.as_path(),
        (None, Some(recorded)) => Path::new(&recorded.source),
        (None, None) => return Ok(Vec::new()),
    };
    let (source, digest) = inputs::text("the list of bad blocks", path)?;
    if arguments.badlist.is_none() && recorded.is_some_and(|recorded| recorded.sha256 != digest) {
        let problem = Problem::new(format!("`{}` is no longer what the manifest says it was", path.display()));
        return Err(problem.help("name the list of bad blocks with --badlist").into());
    }
    badlist::read(&source, profile.topology).map_err(|wrong| Failure::Faulty(Box::new((source, wrong))))
}

/// Judges a site: its files, in order, as one history.
fn judge(
    site: &SiteFiles,
    profile: &Profile,
    bad_blocks: &[(Die, Block)],
    max_findings: usize,
) -> Result<Verdict, Failure> {
    let mut verifier = Verifier::new(profile, bad_blocks).keeping(max_findings);
    let mut changed = Vec::new();
    for file in &site.files {
        let digest = replay(file, profile, &mut verifier)?;
        let differs = |record: &FileRecord| record.sha256 != digest;
        if file.record.as_ref().is_some_and(differs) {
            changed.push(&file.name);
        }
    }
    let broken: u64 = RuleCode::ALL.into_iter().map(|rule| verifier.counts(rule).findings).sum();
    let findings = broken + changed.len() as u64;
    let (count, operations) = (site.files.len() as u64, verifier.operations());
    let mut text =
        format!("{}: {count} file{}, {operations} operations, {}\n", site.shown, plural(count), found(findings));
    for name in changed {
        let _ = writeln!(text, "  {name} is not the file that manifest.json lists: its SHA-256 differs");
    }
    // Writing to a string cannot fail.
    let _ = write_findings(&mut text, site, profile, &verifier);
    Ok(Verdict { text, operations, findings })
}

/// Feeds a file to the verifier; returns the digest of its bytes.
fn replay(file: &SequenceFile, profile: &Profile, verifier: &mut Verifier<'_>) -> Result<Digest, Failure> {
    let unreadable = |reason: &io::Error| Failure::from(Problem::unreadable("the sequence", &file.path, reason));
    let input = File::open(&file.path).map_err(|reason| unreadable(&reason))?;
    let mut hashing = Hashing { input, hasher: Hasher::new() };
    {
        let mut reader = SequenceReader::new(profile, BufReader::with_capacity(1 << 16, &mut hashing)).map_err(
            |error| match error {
                ReadError::Io(reason) => unreadable(&reason),
                ReadError::Header => Problem::new(format!("`{}`: {error}", file.path.display())).into(),
            },
        )?;
        while let Some(row) = reader.next_row().map_err(|reason| unreadable(&reason))? {
            match row {
                Ok(row) => verifier.row(&row),
                Err(bad) => verifier.bad_row(&bad),
            }
        }
    }
    verifier.end_of_file();
    Ok(hashing.hasher.digest())
}

/// Hashes what passes through.
struct Hashing<R> {
    input: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// How often each rule was broken, then the first findings.
fn write_findings(text: &mut String, site: &SiteFiles, profile: &Profile, verifier: &Verifier<'_>) -> std::fmt::Result {
    for rule in RuleCode::ALL {
        let counts = verifier.counts(rule);
        if counts.findings == 0 && counts.followers == 0 {
            continue;
        }
        write!(text, "  {} × {}", counts.findings, rule.name())?;
        if counts.followers > 0 {
            write!(text, " (and {} that follow from one of them)", counts.followers)?;
        }
        writeln!(text, ": {}", rule.sentence())?;
    }
    for finding in verifier.findings() {
        write_finding(text, site, profile, finding)?;
    }
    Ok(())
}

fn write_finding(text: &mut String, site: &SiteFiles, profile: &Profile, finding: &Finding) -> std::fmt::Result {
    write!(text, "  {} row {}", site.file_name(finding.place.file), finding.place.row)?;
    if let Some(time) = finding.time {
        write!(text, ", {time}")?;
    }
    if let Some(op) = &finding.op {
        write!(text, ", {op}")?;
    }
    for target in &finding.targets {
        write_target(text, profile, target)?;
    }
    writeln!(text, "\n    {}: {}", finding.rule.name(), finding.message)?;
    if let Some(OperationRef { place, uid, op, time }) = &finding.other {
        let file = site.file_name(place.file);
        writeln!(text, "    the other operation: {file} row {}, {time}, {op} (op_uid {uid})", place.row)?;
    }
    Ok(())
}

/// A target with the fields its payload has.
fn write_target(text: &mut String, profile: &Profile, target: &Addressed) -> std::fmt::Result {
    use nandseq_profile::model::PayloadField;
    let mut parts = Vec::new();
    for field in PayloadField::ALL.into_iter().filter(|&field| target.fields.contains(field)) {
        let value = match field {
            PayloadField::Die => target.die.to_string(),
            PayloadField::Plane => target.plane.to_string(),
            PayloadField::Block => target.block.to_string(),
            PayloadField::Page => target.page.to_string(),
            PayloadField::CellType => target.cell_type.map_or("?", |id| &profile.cell_types[id].name).to_owned(),
            PayloadField::ExpectedStatus => target.status.map_or("?", |status| status.name()).to_owned(),
        };
        parts.push(format!("{} {value}", field.name()));
    }
    write!(text, " [{}]", parts.join(" "))
}
