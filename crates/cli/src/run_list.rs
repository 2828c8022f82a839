//! `nandseqgen run-list`: a YAML list of campaigns, made one after another.
//!
//! Every mistake of the list is shown before anything is made, with its line and column. No campaign begins before the profiles,
//! tables, lists and folders of all campaigns are known to be usable. A campaign that fails does not keep the others from being
//! made. The fields of a campaign are its `name`, the flags of `generate` with `_` for `-`, except [`NOT_HERE`], and the short
//! names in [`SHORT`].

use nandseq_trace::recorded::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::{Args, Command, FromArgMatches};
use nandseq_profile::diagnostic::{counted, nearest, quoted};
use nandseq_profile::yaml::{self, Entry, Node, Value};
use nandseq_profile::{Diagnostic, Diagnostics, SourceFile, Span};
use nandseq_trace::recorded::path_of;
use serde::Serialize;

use crate::arguments::{GenerateArgs, ReportFormat, RunListArgs, SeedFormula, first_line, opposed};
use crate::campaign::table::WantedTable;
use crate::campaign::{self, Campaign};
use crate::execute::folders;
use crate::failure::{Failure, Problem, both, each_remark, note_text, remark_text, warning_text};
use crate::generate::{Made, carry_out};
use crate::hint::Hint;
use crate::in_force::{self, InForce};
use crate::interrupt::stop_on_signals;
use crate::summary::Summary;
use crate::{console, execute, inputs, json, target, tell, terminal};

/// Fields with a shorter name than their flags: the field and the flag.
const SHORT: [(&str, &str); 2] = [("profile", "config"), ("runs", "num-runs")];
/// Flags that are about the execution, not about a campaign.
const NOT_HERE: [&str; 5] = ["help", "version", "resume", "summary", "dry-run"];

/// A campaign of the list.
struct CampaignEntry {
    name: String,
    flags: GenerateArgs,
    span: Span,
    /// The flags of fields that cannot be read. The other fields are checked all the same.
    unread: Vec<String>,
    has_folder: bool,
}

/// Makes every campaign of a list.
pub(crate) fn run(arguments: &RunListArgs) -> Result<(), Failure> {
    let (source, _) = inputs::text("the list of campaigns", &arguments.list)?;
    let mut diagnostics = Diagnostics::new();
    let entries = read(&source, &mut diagnostics);
    diagnostics.sort();
    if diagnostics.has_errors() {
        let faulty = Failure::Faulty(Box::new((source, diagnostics)));
        tell(&faulty.text());
        let (_, failures) = resolved(entries, arguments);
        failures.iter().for_each(|(name, failure)| tell(&(heading(name) + &failure.text())));
        return Err(Failure::Told(faulty.code()));
    }
    for name in names_of_several(&entries) {
        let message = format!("several campaigns are called {}, by which messages name them", quoted(name));
        tell(&warning_text(&format!("{message}: give each a `name` of its own")));
    }
    let campaigns = checked(entries, arguments)?;
    for warning in overlaps(&campaigns) {
        tell(&warning_text(&warning));
    }
    let stop = stop_on_signals()?;
    let results = make(campaigns, arguments, &stop)?;
    let done = results.campaigns.iter().filter(|entry| entry.exit_code == 0).count();
    let count = results.asked;
    match arguments.summary {
        ReportFormat::Json => json::print(&results)?,
        ReportFormat::Text if console::is_quiet() => {}
        ReportFormat::Text => terminal::print(&format!("{done} of {} done\n", counted(count as u64, "campaign")))?,
    }
    let interrupted = results.campaigns.last().filter(|entry| entry.exit_code == Failure::INTERRUPTED.code());
    let failed = interrupted.or_else(|| results.campaigns.iter().find(|entry| entry.exit_code != 0));
    failed.map_or(Ok(()), |entry| Err(Failure::Told(entry.exit_code)))
}

/// The result of a list, as its summary in JSON.
#[derive(Serialize)]
struct Results {
    schema: u32,
    command: &'static str,
    version: &'static str,
    /// Number of campaigns in the list.
    asked: usize,
    /// The results of the campaigns, in order. Campaigns after an interruption have none.
    campaigns: Vec<CampaignResult>,
}

/// The result of a campaign.
#[derive(Serialize)]
struct CampaignResult {
    name: String,
    exit_code: u8,
    /// The message of its failure; `null` if it has none.
    problem: Option<String>,
    /// The summary of `generate --summary json`; `null` if the inputs of the campaign cannot be used.
    summary: Option<Summary>,
}

impl Results {
    const fn new(asked: usize, campaigns: Vec<CampaignResult>) -> Self {
        Self { schema: 1, command: "run-list", version: env!("CARGO_PKG_VERSION"), asked, campaigns }
    }
}

/// Makes the campaigns, one after another.
fn make(campaigns: Vec<(String, Campaign)>, arguments: &RunListArgs, stop: &AtomicBool) -> Result<Results, Failure> {
    let asked = campaigns.len();
    let has_headings = arguments.summary == ReportFormat::Text && !console::is_quiet();
    let mut done = Vec::new();
    for (at, (name, campaign)) in campaigns.into_iter().enumerate() {
        if has_headings {
            terminal::print(&format!("[{} of {asked}] {name}\n", at + 1))?;
        }
        let Made { summary, end } = carry_out(&campaign, stop, arguments.summary);
        let Err(failure) = end else {
            done.push(CampaignResult { name, exit_code: 0, problem: None, summary: Some(summary) });
            continue;
        };
        let failure = failure.going_on_with(go_on(arguments));
        let stopped = matches!(failure, Failure::Interrupted { .. });
        if stopped && at + 1 < asked {
            tell(&remark_text(&not_made(at + 2, asked)));
        }
        // Without headings nothing else says which campaign this is about.
        let text = match failure.text() {
            // The failure has been told already, without the name of the campaign.
            text if text.is_empty() && !has_headings => {
                remark_text(&format!("campaign `{name}` ended with exit code {}", failure.code()))
            }
            text if has_headings => text,
            text => heading(&name) + &text,
        };
        tell(&text);
        let problem = Some(failure.plain_text()).filter(|text| !text.is_empty());
        done.push(CampaignResult { name, exit_code: failure.code(), problem, summary: Some(summary) });
        if stopped {
            break;
        }
    }
    Ok(Results::new(asked, done))
}

/// The remark about campaigns that an interruption left out, from the one with this number on.
fn not_made(first: usize, asked: usize) -> String {
    if first == asked {
        format!("campaign {asked} of {asked} was not made")
    } else {
        format!("campaigns {first} to {asked} of {asked} were not made")
    }
}

/// Values of some campaigns, with the names of the campaigns.
type Named<T> = Vec<(String, T)>;

/// Resolves every campaign. Returns those that can be begun, and the failures of the others.
fn resolved(entries: Vec<CampaignEntry>, arguments: &RunListArgs) -> (Named<Campaign>, Named<Failure>) {
    let mut campaigns = Vec::new();
    let mut failures = Vec::new();
    // A remark on a profile holds for every campaign that uses it, and is told once.
    let mut told = BTreeSet::new();
    for entry in entries {
        let name = entry.name.clone();
        if !entry.unread.is_empty() {
            failures.extend(entry.check().err().map(|failure| (name, failure)));
            continue;
        }
        let mut remarks = String::new();
        let out_dir = entry.flags.output.out_dir.clone();
        let campaign = campaign(entry, arguments, &mut remarks);
        let campaign = campaign.map_err(|failure| failure.and(folders::check([out_dir])));
        for remark in each_remark(&remarks) {
            if told.insert(remark.clone()) {
                tell(&remark);
            }
        }
        let campaign = campaign.and_then(|campaign| execute::check(&campaign).map(|()| campaign));
        match campaign {
            Ok(campaign) => campaigns.push((name, campaign)),
            Err(failure) => failures.push((name, failure)),
        }
    }
    failures.extend(shared_tables(&campaigns));
    (campaigns, failures)
}

/// Resolves every campaign. If one cannot be begun, all failures are told and nothing is made.
fn checked(entries: Vec<CampaignEntry>, arguments: &RunListArgs) -> Result<Vec<(String, Campaign)>, Failure> {
    let count = entries.len();
    let (campaigns, failures) = resolved(entries, arguments);
    let Some((_, first)) = failures.first() else { return Ok(campaigns) };
    let code = first.code();
    for (name, failure) in &failures {
        tell(&(heading(name) + &failure.text()));
    }
    let faulty = failures.len();
    tell(&note_text(&format!("nothing was made: {faulty} of {count} campaigns cannot be begun")));
    if arguments.summary == ReportFormat::Json {
        let result = |(name, failure): (String, Failure)| CampaignResult {
            name,
            exit_code: failure.code(),
            problem: Some(failure.plain_text()),
            summary: None,
        };
        json::print(&Results::new(count, failures.into_iter().map(result).collect()))?;
    }
    Err(Failure::Told(code))
}

impl CampaignEntry {
    /// Checks the fields that can be read and the files they name, as far as this does not depend on fields that cannot be read.
    fn check(&self) -> Result<(), Failure> {
        // The sites depend on several fields together.
        let is_of_sites = |flag: &String| flag.contains("site") || flag.contains("shard") || flag.contains("seed");
        let mut problems = Vec::new();
        campaign::check_flags(&self.flags, !self.unread.iter().any(is_of_sites), &mut problems);
        let flags = if problems.is_empty() { Ok(()) } else { Err(Failure::Unusable(problems)) };
        // If another device may be meant, the other inputs are not checked against this one.
        let GenerateArgs { device, output, .. } = &self.flags;
        let inputs = match &device.config {
            Some(_) if !self.unread.iter().any(|flag| flag == "lenient") => {
                InForce::of_generate(&self.flags, None, &mut String::new()).map(drop)
            }
            Some(_) | None => in_force::others_are_readable(device, &WantedTable::of_generate(&self.flags)),
        };
        let folder = if self.has_folder { folders::check([output.out_dir.clone()]) } else { Ok(()) };
        both(both(flags, inputs), folder).map(drop)
    }
}

/// The heading of messages about a campaign.
fn heading(name: &str) -> String {
    format!("campaign {}:\n", quoted(name))
}

/// Failures of campaigns that write a probability table which another campaign reads, as a table or as anything else, or writes:
/// the result would depend on their order.
fn shared_tables(campaigns: &[(String, Campaign)]) -> Vec<(String, Failure)> {
    let written = |campaign: &Campaign| campaign.table.output.as_ref().map(|file| real_path(&file.path));
    let reads = |campaign: &Campaign, table: &PathBuf| {
        let plan = campaign.plan.as_ref().map(|plan| &plan.input);
        let inputs = [campaign.table.input.as_ref(), campaign.badlist_input.as_ref(), plan];
        let inputs = inputs.into_iter().flatten().map(|input| &input.source);
        let mut read = inputs.chain([&campaign.profile_input.source]).map(|source| real_path(&path_of(source)));
        read.any(|path| path == *table)
    };
    let mut failures = Vec::new();
    for (at, (name, campaign)) in campaigns.iter().enumerate() {
        let Some(table) = written(campaign) else { continue };
        let others = campaigns.iter().enumerate().filter(|(other, _)| *other != at);
        for (other_at, (other, other_plan)) in others {
            let both_write = written(other_plan).as_ref() == Some(&table);
            if reads(other_plan, &table) || (both_write && other_at < at) {
                let does = if both_write { "writes" } else { "reads" };
                let message = format!(
                    "it writes the probability table `{}`, which campaign {} {does} too",
                    shown(&table),
                    quoted(other)
                );
                let help = "write the table once with `nandseqgen generate`, or give each campaign a table of its own";
                failures.push((name.clone(), Problem::new(message).help(help).into()));
            }
        }
    }
    failures
}

/// The command that resumes the list.
fn go_on(arguments: &RunListArgs) -> String {
    Hint::new("run-list").flag("--resume").operand(&arguments.list).to_string()
}

fn campaign(entry: CampaignEntry, arguments: &RunListArgs, remarks: &mut String) -> Result<Campaign, Failure> {
    let mut flags = entry.flags;
    if arguments.resume {
        flags.start.resume = Some(flags.output.out_dir.clone());
        // Files of earlier campaigns were removed when this one began.
        flags.output.clean = false;
    }
    let campaign = campaign::resolve(&flags, remarks)?;
    if let Some(table) = &campaign.table.output {
        target::check(&table.path, "--op-state-probs", [&arguments.list])?;
    }
    Ok(campaign)
}

/// The names that more than one campaign has.
fn names_of_several(entries: &[CampaignEntry]) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    entries.iter().map(|entry| &*entry.name).filter(|name| !seen.insert(*name)).collect()
}

/// Warnings about campaigns whose sequential seeds make the same sites.
fn overlaps(campaigns: &[(String, Campaign)]) -> Vec<String> {
    // The campaigns that make a site, by profile and seed of the site. A list may have many sites.
    let mut makers: BTreeMap<(&str, u64), Vec<usize>> = BTreeMap::new();
    // What is expected of a device does not change what it is sent.
    let profiles: Vec<String> = campaigns.iter().map(|(_, campaign)| campaign.stated.hash()).collect();
    for (at, (_, campaign)) in campaigns.iter().enumerate() {
        if campaign.seed_formula == SeedFormula::Sequential {
            let profile = &*profiles[at];
            campaign.sites.iter().for_each(|site| makers.entry((profile, site.seeds.seed(0))).or_default().push(at));
        }
    }
    let mut shared: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for of_one_site in makers.values() {
        for (at, &one) in of_one_site.iter().enumerate() {
            of_one_site[at + 1..].iter().for_each(|&other| *shared.entry((one, other)).or_default() += 1);
        }
    }
    let warning = |((one, other), sites): ((usize, usize), u64)| {
        format!(
            "campaigns {} and {} share the seeds of {}: choose base seeds farther apart, or `seed_formula: hashed`",
            quoted(&campaigns[one].0),
            quoted(&campaigns[other].0),
            counted(sites, "site")
        )
    };
    shared.into_iter().map(warning).collect()
}

/// Reads the list. All its mistakes are added to `diagnostics`.
fn read(source: &SourceFile, diagnostics: &mut Diagnostics) -> Vec<CampaignEntry> {
    let Some(root) = yaml::parse(source, diagnostics) else { return Vec::new() };
    let Some(mut fields) = yaml::Fields::new(&root, "run-list", diagnostics) else { return Vec::new() };
    let list = fields.require("campaigns", diagnostics);
    fields.finish(diagnostics);
    let Some(items) = list.and_then(|list| list.expect_sequence("campaigns", diagnostics)) else { return Vec::new() };
    if items.is_empty()
        && let Some(list) = list
    {
        diagnostics.push(Diagnostic::error("no-campaign", "the list of campaigns is empty").at(list.span, ""));
    }
    let command = GenerateArgs::augment_args(Command::new("campaign").no_binary_name(true));
    let read = |(at, item): (usize, &Node)| entry(at, item, &command, diagnostics);
    let entries: Vec<CampaignEntry> = items.iter().enumerate().filter_map(read).collect();
    separate(&entries, diagnostics);
    entries
}

/// Reads one campaign.
fn entry(at: usize, item: &Node, command: &Command, diagnostics: &mut Diagnostics) -> Option<CampaignEntry> {
    let entries = item.expect_mapping("a campaign", diagnostics)?;
    let mut name = format!("campaign {}", at + 1);
    let mut line: Vec<String> = Vec::new();
    let mut unread: Vec<String> = Vec::new();
    let mut flags_seen: Vec<String> = Vec::new();
    for entry in entries {
        if &*entry.key == "name" {
            if let Some(text) = entry.value.expect_str("name", diagnostics) {
                name = text.to_owned();
            }
            continue;
        }
        match flag(entry, command, diagnostics) {
            Some((flag, arguments)) => {
                if flags_seen.contains(&flag) {
                    let message = format!("{} says again what another field says", quoted(&entry.key));
                    diagnostics.push(Diagnostic::error("duplicate-key", message).at(entry.key_span, ""));
                    unread.push(flag);
                } else {
                    flags_seen.push(flag);
                    line.extend(arguments);
                }
            }
            None => unread.push(entry.key.replace('_', "-")),
        }
    }
    if !entries.iter().any(|entry| &*entry.key == "out_dir") {
        let message = format!("{} lacks `out_dir`: each campaign has a folder of its own", quoted(&name));
        diagnostics.push(Diagnostic::error("missing-field", message).at(item.span, ""));
        unread.push("out-dir".to_owned());
    }
    for pair in opposed(&line) {
        let [one, other] = pair.map(|flag| quoted(&flag.trim_start_matches('-').replace('-', "_")));
        let message = format!("{other} and {one} say the opposite of each other");
        diagnostics.push(Diagnostic::error("bad-campaign", message).at(item.span, "").help("leave one of them out"));
    }
    let has_folder = flags_seen.iter().any(|flag| flag == "out-dir");
    let flags = |command: Command| {
        command.try_get_matches_from(&line).and_then(|matches| GenerateArgs::from_arg_matches(&matches))
    };
    let flags = flags(command.clone()).or_else(|error| {
        diagnostics.push(Diagnostic::error("bad-campaign", first_line(&error)).at(item.span, ""));
        // Flags that exclude one another choose sites.
        unread.push("sites".to_owned());
        flags(command.clone().ignore_errors(true))
    });
    Some(CampaignEntry { name, flags: flags.ok()?, span: item.span, unread, has_folder })
}

/// The flag of a field, and the arguments that the field stands for; `None` after a mistake.
fn flag(entry: &Entry, command: &Command, diagnostics: &mut Diagnostics) -> Option<(String, Vec<String>)> {
    let known =
        |flag: &str| command.get_arguments().find(|arg| arg.get_long() == Some(flag) && !NOT_HERE.contains(&flag));
    let short = SHORT.iter().find(|(short, _)| *short == &*entry.key).map(|&(_, long)| long.to_owned());
    let long = short.unwrap_or_else(|| entry.key.replace('_', "-"));
    let Some(arg) = known(&long).filter(|_| !entry.key.contains('-')) else {
        let fields: Vec<String> = command
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .filter(|flag| !NOT_HERE.contains(flag))
            .map(|flag| flag.replace('-', "_"))
            .chain(SHORT.iter().map(|(short, _)| (*short).to_owned()))
            .chain(["name".to_owned()])
            .collect();
        let near = nearest(&entry.key, fields.iter().map(String::as_str));
        let diagnostic = Diagnostic::error("unknown-key", format!("a campaign has no field {}", quoted(&entry.key)));
        let diagnostic = match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("its fields are the flags of `nandseqgen generate`, with `_` for `-`"),
        };
        diagnostics.push(diagnostic.at(entry.key_span, ""));
        return None;
    };
    let is_number = arg.get_value_names().is_some_and(|names| names.iter().any(|name| matches!(&**name, "N" | "US")));
    if is_number && !entry.value.reads_the_same(&entry.key, diagnostics) {
        return None;
    }
    let arguments = if arg.get_action().takes_values() {
        vec![format!("--{long}={}", text(entry, diagnostics)?)]
    } else if entry.value.expect_bool(&entry.key, diagnostics)? {
        vec![format!("--{long}")]
    } else {
        Vec::new()
    };
    // Each flag is read by itself first, so that a mistake is shown at its place.
    let alone = command.clone().ignore_errors(false).try_get_matches_from(&arguments);
    if let Err(error) = alone.and_then(|matches| GenerateArgs::from_arg_matches(&matches)) {
        let message = with_field(&first_line(&error), &long, &entry.key);
        diagnostics.push(Diagnostic::error("bad-value", message).at(entry.value.span, ""));
        return None;
    }
    Some((long, arguments))
}

/// An error of the parser that names the field of the list in place of the flag, as in `'--num-runs <N>'`.
fn with_field(error: &str, long: &str, field: &str) -> String {
    let named =
        error.split_once(&format!("'--{long}")).and_then(|(before, rest)| Some((before, rest.split_once('\'')?.1)));
    named.map_or_else(|| error.to_owned(), |(before, after)| format!("{before}{}{after}", quoted(field)))
}

/// A value as a flag takes it; a list becomes one value with commas.
fn text(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<String> {
    match &entry.value.value {
        Value::Sequence(items) => {
            let items: Option<Vec<&str>> = items.iter().map(|item| item.expect_str(&entry.key, diagnostics)).collect();
            items.map(|items| items.join(","))
        }
        Value::Scalar(_) | Value::Mapping(_) => entry.value.expect_str(&entry.key, diagnostics).map(str::to_owned),
    }
}

/// Refuses campaigns with the same folder, or with one folder inside the other: they would overwrite each other.
fn separate(entries: &[CampaignEntry], diagnostics: &mut Diagnostics) {
    let with_folder = entries.iter().filter(|entry| entry.has_folder);
    let places: Vec<(PathBuf, &CampaignEntry)> =
        with_folder.map(|entry| (real_path(&entry.flags.output.out_dir), entry)).collect();
    for (at, (place, entry)) in places.iter().enumerate() {
        let clash = places[..at].iter().find(|(earlier, _)| place.starts_with(earlier) || earlier.starts_with(place));
        if let Some((_, earlier)) = clash {
            let message = format!("{} and {} write into one folder", quoted(&earlier.name), quoted(&entry.name));
            let diagnostic =
                Diagnostic::error("one-folder", message).at(entry.span, "").also(earlier.span, "the other");
            diagnostics.push(diagnostic.help("give each an `out_dir` that is not inside another's"));
        }
    }
}

/// An absolute path without `.` and `..`, in which links are followed as far as they exist.
fn real_path(path: &Path) -> PathBuf {
    let mut real = std::env::current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                real.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                real.push(part);
                if let Ok(followed) = real.canonicalize() {
                    real = followed;
                }
            }
        }
    }
    real
}
