//! The difference between the campaign of the runs in a folder and the campaign that is to resume them.
//!
//! Another number of runs is no difference, because runs continue one another. Another limit of each run is a difference, and its
//! message says how to get more runs.

use nandseq_trace::recorded::shown;
use std::path::Path;

use nandseq_trace::manifest::{Origin, SiteManifest};

use super::batch::{number_of, runs_of};
use crate::arguments::DEFAULT_RUN_US;
use crate::campaign::Campaign;
use crate::failure::Problem;
use crate::origins::{OtherInput, inputs_of, other_input};

/// Flags that may differ: the number of runs, the paths of inputs, whose contents are compared, how a profile is read, and the
/// bootstrap, whose effect is compared.
const FREE_FLAGS: [&str; 8] =
    ["--num-runs", "--config", "--lenient", "--badlist", "--op-state-probs", "--plan", "--bootstrap", "--no-bootstrap"];
/// Flags that limit each run.
const LIMITS: [&str; 3] = ["--run-until", "--ops", "--until-coverage"];
/// The default patterns of site folders.
pub(super) const USUAL: [&str; 2] = ["site_{site_id:02d}", "site={site_id:02d}"];
/// The help if the limits of runs differ.
pub(super) const HELP_LIMITS: &str = "runs keep their length: use the flags they were made with, and ask for more runs with a larger --num-runs; or choose \
     another folder with --out-dir";

/// A difference between two campaigns.
pub(super) enum Difference {
    /// Version, profile, inputs or flags differ, in words.
    Campaign(String),
    /// An input is read, although there was none: what it is, in words, and its file.
    NewInput { what: &'static str, source: String },
    /// The limits of each run differ: those of the runs in the folder, and those of this campaign.
    Limits(String, String),
    /// The bootstrap differs; `true` if this campaign has one.
    Bootstrap(bool),
}

impl Difference {
    /// The problem of resuming the runs in a folder.
    pub(super) fn failure(&self, folder: &Path) -> Problem {
        let folder = shown(folder);
        match self {
            Self::Campaign(what) => Problem::new(format!("`{folder}` holds runs of another campaign: {what}"))
                .help("use the flags of that campaign, or another folder"),
            Self::NewInput { what, source } => {
                Problem::new(format!("`{folder}` holds runs made without a {what}, and now `{source}` is read"))
                    .help("move this file away, or leave its flag out, to go on; or choose another folder")
            }
            Self::Limits(there, here) => {
                Problem::new(format!("the runs in `{folder}` were made {there}; runs {here} are another campaign"))
                    .help(HELP_LIMITS)
            }
            Self::Bootstrap(true) => Problem::new(format!(
                "the run in `{folder}` was made without the bootstrap, which the first of several runs begins with"
            ))
            .help("add --no-bootstrap to go on without it, or choose another folder with --out-dir"),
            Self::Bootstrap(false) => Problem::new(format!(
                "the first run in `{folder}` began with the bootstrap, and here it would not"
            ))
            .help(
                "ask for the runs with the bootstrap, and for more than one, or choose another folder with --out-dir",
            ),
        }
    }
}

/// The first difference between the campaigns of two manifests of a site: the one in the folder, and that of this campaign.
pub(super) fn between(campaign: &Campaign, there: &SiteManifest, here: &SiteManifest) -> Option<Difference> {
    let own = number_of(&here.origin.arguments, "--seed");
    // The seed of a site follows from that of its batch, which is the one that the user gave.
    match own.checked_sub(campaign.base_seed).filter(|offset| *offset > 0) {
        Some(offset) => {
            let [there, here] = [&there.origin, &here.origin].map(|origin| of_batch(origin, offset));
            between_origins(campaign, &there, &here)
        }
        None => between_origins(campaign, &there.origin, &here.origin),
    }
}

/// The origin of a site with the seed of its batch, which is less by an offset. The seed of another batch may be less than that.
fn of_batch(origin: &Origin, offset: u64) -> Origin {
    let seed = number_of(&origin.arguments, "--seed");
    let mut origin = origin.clone();
    let value = origin.arguments.iter_mut().skip_while(|argument| *argument != "--seed").nth(1);
    if let (Some(value), Some(of_batch)) = (value, seed.checked_sub(offset)) {
        *value = of_batch.to_string();
    }
    origin
}

/// The first difference between the campaigns of two origins: that in the folder, and that of this campaign.
pub(super) fn between_origins(campaign: &Campaign, there: &Origin, here: &Origin) -> Option<Difference> {
    let another = |what: String| Some(Difference::Campaign(what));
    if there.tool.version != here.tool.version {
        return another(format!("it was made by version {} of the program", there.tool.version));
    }
    if !campaign.is_of(there) {
        return another(format!("it is of another profile, `{}`", there.profile.name));
    }
    if let Some(OtherInput { what, then, now }) = other_input(inputs_of(there), inputs_of(here)) {
        return match (then, now) {
            (None, Some(now)) => Some(Difference::NewInput { what, source: now.source.clone() }),
            _ => another(format!("it has another {what}")),
        };
    }
    let (theirs, ours) = (settings(&there.arguments), settings(&here.arguments));
    let only = |these: &[Setting], others: &[Setting]| -> Vec<Setting> {
        these.iter().filter(|one| !others.contains(one)).cloned().collect()
    };
    let (theirs, ours) = (only(&theirs, &ours), only(&ours, &theirs));
    if theirs.iter().chain(&ours).any(|setting| !setting.is_limit()) {
        let (theirs, ours) = match (given(&theirs, &ours), given(&ours, &theirs)) {
            (there, here) if there.is_empty() && here.is_empty() => (theirs, ours),
            given => given,
        };
        let (made_there, made_here) = (made(&theirs, &ours), made(&ours, &theirs));
        return another(format!("they were made {made_there}, and this command makes runs {made_here}"));
    }
    if !theirs.is_empty() || !ours.is_empty() {
        return Some(Difference::Limits(limited(&theirs, &ours), limited(&ours, &theirs)));
    }
    let begins = begins_with_bootstrap(campaign, there);
    (begins != campaign.bootstrap).then_some(Difference::Bootstrap(campaign.bootstrap))
}

/// Whether the first run of a site of this origin begins with the profile's bootstrap.
fn begins_with_bootstrap(campaign: &Campaign, origin: &Origin) -> bool {
    let has = |flag: &str| origin.arguments.iter().any(|argument| argument == flag);
    runs_of(origin) != 1 && (has("--bootstrap") || (campaign.profile.bootstrap.enabled && !has("--no-bootstrap")))
}

/// A flag with its value, if it has one.
#[derive(Clone, PartialEq, Eq)]
struct Setting {
    flag: String,
    value: Vec<String>,
}

impl Setting {
    fn is_limit(&self) -> bool {
        LIMITS.contains(&&*self.flag)
    }

    /// Whether it has the value that holds without the flag.
    fn is_default(&self) -> bool {
        let is = |flag: &str, value: &str| self.flag == flag && self.value == [value];
        let is_usual = || USUAL.iter().any(|pattern| is("--site-dir-pattern", pattern));
        self.is_default_limit() || is("--site-start", "1") || is_usual()
    }

    /// Whether it is the limit of runs without a flag that limits them.
    fn is_default_limit(&self) -> bool {
        self.flag == "--run-until" && self.value == [DEFAULT_RUN_US.to_string()]
    }
}

/// With which settings runs are made; a flag that only the others have is worth naming, too.
fn made(these: &[Setting], others: &[Setting]) -> String {
    let one = |setting: &Setting| std::iter::once(&setting.flag).chain(&setting.value).cloned().collect::<Vec<_>>();
    let with =
        (!these.is_empty()).then(|| format!("with `{}`", these.iter().flat_map(one).collect::<Vec<_>>().join(" ")));
    let lacks: Vec<&str> =
        others.iter().map(|one| &*one.flag).filter(|flag| !these.iter().any(|one| one.flag == *flag)).collect();
    let without = (!lacks.is_empty()).then(|| format!("without {}", lacks.join(" and ")));
    with.into_iter().chain(without).collect::<Vec<_>>().join(" and ")
}

/// The settings that somebody gave, as far as this can be told: those without which the program would do the same are left out if
/// the other side has no such flag.
fn given(these: &[Setting], others: &[Setting]) -> Vec<Setting> {
    let has = |flag: &str| others.iter().any(|other| other.flag == flag);
    these.iter().filter(|one| !one.is_default() || has(&one.flag)).cloned().collect()
}

/// How runs are limited, without flags that nobody gave: the default length, and the operations that bound a search for coverage.
fn limited(these: &[Setting], others: &[Setting]) -> String {
    let for_coverage = these.iter().any(|one| one.flag == "--until-coverage");
    let (bounds, these): (Vec<Setting>, Vec<Setting>) =
        these.iter().cloned().partition(|one| for_coverage && one.flag == "--ops");
    let bound = bounds.first().map(|one| format!(" and at most {} operations each", one.value.join(" ")));
    match these.as_slice() {
        [] => made(&these, others),
        [one] if one.is_default_limit() => format!("without a flag for their length ({} µs)", one.value.join(" ")),
        _ => made(&these, &[]) + &bound.unwrap_or_default(),
    }
}

/// The settings that must be equal in both campaigns.
fn settings(arguments: &[String]) -> Vec<Setting> {
    settings_of(arguments).filter(|setting| !FREE_FLAGS.contains(&&*setting.flag)).collect()
}

fn settings_of(arguments: &[String]) -> impl Iterator<Item = Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for argument in arguments {
        match settings.last_mut() {
            Some(setting) if !argument.starts_with("--") => setting.value.push(argument.clone()),
            Some(_) | None => settings.push(Setting { flag: argument.clone(), value: Vec::new() }),
        }
    }
    settings.into_iter()
}

/// Whether two manifests of a site are of the same campaign: the one in the folder, and that of this campaign.
pub(super) fn is_same_campaign(campaign: &Campaign, there: &SiteManifest, here: &SiteManifest) -> bool {
    between(campaign, there, here).is_none()
}
