//! In what the runs of a folder are of another campaign than the one that is to go on.
//!
//! How many runs there are to be is no difference: runs continue one another. How far each of them goes is one, and whoever asks for
//! more of it is told how to get more.

use nandseq_trace::recorded::shown;
use std::path::Path;

use nandseq_trace::manifest::{Origin, SiteManifest};

use crate::failure::Problem;
use crate::plan::Plan;

/// Flags whose values may differ: how many runs, where inputs lie whose contents are compared, and what is compared by its effect.
const FREE_FLAGS: [&str; 6] =
    ["--num-runs", "--config", "--badlist", "--op-state-probs", "--bootstrap", "--no-bootstrap"];
/// Flags that say how far each run goes.
const LIMITS: [&str; 3] = ["--run-until", "--ops", "--until-coverage"];
/// How to get more than is there.
pub(super) const HELP_LIMITS: &str = "runs keep their length: use the flags they were made with, and ask for more runs with a larger --num-runs; or choose \
     another folder with --out-dir";

/// What is different.
pub(super) enum Difference {
    /// What the campaign was made from or with.
    Campaign(String),
    /// How far each run goes: there, and here.
    Limits(String, String),
    /// Whether the first run begins with a bootstrap; here it does.
    Bootstrap(bool),
}

impl Difference {
    /// What to say of the runs in a folder.
    pub(super) fn failure(&self, folder: &Path) -> Problem {
        let folder = shown(folder);
        match self {
            Self::Campaign(what) => Problem::new(format!("`{folder}` holds runs of another campaign: {what}"))
                .help("use the flags of that campaign, or another folder"),
            Self::Limits(there, here) => {
                Problem::new(format!("each run in `{folder}` was made {there}; runs made {here} are another campaign"))
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

/// In what two manifests of a site are not of the same campaign: the one that is there, and the plan's own.
pub(super) fn between(plan: &Plan, there: &SiteManifest, here: &SiteManifest) -> Option<Difference> {
    let (there, here) = (&there.origin, &here.origin);
    let campaign = |what: String| Some(Difference::Campaign(what));
    if there.tool.version != here.tool.version {
        return campaign(format!("it was made by version {} of the program", there.tool.version));
    }
    if !plan.is_of(&there.profile) {
        return campaign(format!("it is of another profile, `{}`", there.profile.name));
    }
    let digests = |origin: &Origin| {
        let inputs = [&origin.probabilities, &origin.badlist];
        inputs.map(|input| input.as_ref().map(|input| input.sha256))
    };
    if digests(there) != digests(here) {
        return campaign("the table of probabilities or the list of bad blocks is another".to_owned());
    }
    let (theirs, ours) = (settings(&there.arguments), settings(&here.arguments));
    let only = |these: &[Setting], others: &[Setting]| -> Vec<Setting> {
        these.iter().filter(|one| !others.contains(one)).cloned().collect()
    };
    let (theirs, ours) = (only(&theirs, &ours), only(&ours, &theirs));
    let (made_there, made_here) = (made(&theirs, &ours), made(&ours, &theirs));
    if theirs.iter().chain(&ours).any(|setting| !setting.is_limit()) {
        return campaign(format!("they were made {made_there}, and this command makes runs {made_here}"));
    }
    if !theirs.is_empty() || !ours.is_empty() {
        return Some(Difference::Limits(made_there, made_here));
    }
    let begins = begins_with_bootstrap(plan, &there.arguments);
    (begins != plan.bootstrap).then_some(Difference::Bootstrap(plan.bootstrap))
}

/// Whether the first run of such a site begins with the profile's bootstrap.
fn begins_with_bootstrap(plan: &Plan, arguments: &[String]) -> bool {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let single = settings_of(arguments).any(|setting| setting.flag == "--num-runs" && setting.value == ["1"]);
    !single && (has("--bootstrap") || (plan.profile.bootstrap.enabled && !has("--no-bootstrap")))
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

/// The settings that must be equal.
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

/// Whether two manifests of a site, one that is there and the plan's own, are of the same campaign.
pub(super) fn is_same_campaign(plan: &Plan, there: &SiteManifest, here: &SiteManifest) -> bool {
    between(plan, there, here).is_none()
}
