//! The manifest of an output folder that holds the folders of several sites.
//!
//! The manifest depends only on the sites it lists. It does not matter whether the sites were made together, one by one with
//! `--sites`, or as shards: a complete batch has the manifest of one execution.

use nandseq_trace::recorded::shown;
use std::collections::BTreeMap;
use std::path::Path;

use nandseq_output::manifest::write_manifest;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::manifest::{self, BatchManifest, ManifestKind, Origin, SiteManifest, SiteRecord};

use super::claim;
use super::folders::is_same_place;
use crate::arguments::SeedFormula;
use crate::campaign::{Batch, BatchPart, Campaign, CampaignSite};
use crate::failure::{Failure, Problem};
use crate::origins::{OTHER_VERSION, inputs_of, other_input};
use crate::site_list::{Shard, SiteList, lists_in};

/// Flags that select part of a batch, or say how many sites it has. Each has a value.
const PART_FLAGS: [&str; 3] = ["--sites", "--shard", "--site-count"];

/// Flags that say where inputs lie. Each has a value.
const PLACE_FLAGS: [&str; 4] = ["--config", "--badlist", "--op-state-probs", "--plan"];

/// The flag that says how a profile is read. The profile itself is compared.
const LENIENT: &str = "--lenient";

/// What the batch's manifest of an earlier execution lists and this execution keeps.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Number of sites of the whole batch; 0 if it is not known.
    count: u64,
    /// The sites that this execution does not make.
    records: Vec<SiteRecord>,
}

impl Earlier {
    /// Reads the manifest in the output folder. Nothing is kept unless `--sites` asks for part of a batch and the manifest is of
    /// the same batch.
    pub(super) fn read(campaign: &Campaign, batch: &Batch) -> Self {
        let BatchPart::Sites(_) = batch.part else { return Self::default() };
        // A resumed site may get more runs than the others have.
        let Some(manifest) = of_same_batch(campaign, batch, campaign.resume.is_some()) else { return Self::default() };
        let asked = batch.sites();
        let records = manifest.sites.into_iter().filter(|record| !asked.contains(&record.site)).collect();
        Self { count: count_of(&manifest.origin), records }
    }

    /// Whether there is nothing to keep.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The manifest of the campaign's batch with the sites in `made` and those kept.
    pub(super) fn manifest_with(&self, campaign: &Campaign, batch: &Batch, made: Vec<SiteRecord>) -> BatchManifest {
        let mut records: BTreeMap<u64, SiteRecord> =
            self.records.iter().map(|record| (record.site, record.clone())).collect();
        records.extend(made.into_iter().map(|record| (record.site, record)));
        let sites: Vec<u64> = records.keys().copied().collect();
        let batch = Batch { count: batch.count.max(self.count), ..batch.clone() };
        let batch = match batch.part {
            BatchPart::Whole | BatchPart::Shard(_) => batch,
            BatchPart::Sites(_) => batch.with_sites(&sites),
        };
        of(campaign, &batch, records.into_values().collect())
    }
}

/// The manifest in the output folder, for a shard its own, if it is of the campaign's batch, perhaps with another number of runs.
fn of_same_batch(campaign: &Campaign, batch: &Batch, of_any_length: bool) -> Option<BatchManifest> {
    let text = manifest::bytes(&campaign.out_dir.join(batch.manifest_name())).ok()?;
    let mut manifest: BatchManifest = manifest::parse(&text).ok()?;
    let ours = campaign.origin(campaign.arguments_of_batch(batch));
    if campaign.is_of(&manifest.origin) {
        manifest.origin.profile.resolved_sha256.clone_from(&ours.profile.resolved_sha256);
    }
    let is_same = if of_any_length { is_same_batch_of_any_length } else { is_same_batch };
    (manifest.base_seed == campaign.base_seed && is_same(&manifest.origin, &ours)).then_some(manifest)
}

/// Whether the manifest of the campaign's batch exists and lists a site.
pub(super) fn lists(campaign: &Campaign, batch: &Batch, site: &CampaignSite) -> bool {
    let lists = |manifest: BatchManifest| manifest.sites.iter().any(|record| Some(record.site) == site.site);
    of_same_batch(campaign, batch, campaign.resume.is_some()).is_some_and(lists)
}

/// Checks that `--sites` with another number of runs does not replace a manifest that lists other sites too. `--resume` keeps them.
pub(super) fn check_length(campaign: &Campaign) -> Result<(), Failure> {
    let Some(batch @ Batch { part: BatchPart::Sites(asked), .. }) = &campaign.batch else { return Ok(()) };
    let manifest = if campaign.resume.is_none() { of_same_batch(campaign, batch, true) } else { None };
    let Some(manifest) = manifest else { return Ok(()) };
    let others = manifest.sites.iter().map(|record| record.site).filter(|site| !asked.contains(*site));
    let (others, runs) = (others.collect::<Vec<_>>(), runs_of(&manifest.origin));
    if others.is_empty() || runs == campaign.num_runs {
        return Ok(());
    }
    let (folder, runs_of_each) = (shown(&campaign.out_dir), counted(runs, "run"));
    let message = format!(
        "`{folder}` holds a batch with {runs_of_each} of each site, and --num-runs {} would replace its manifest, which lists {} too",
        campaign.num_runs,
        SiteList::in_words(&others)
    );
    let further = if runs < campaign.num_runs { "; --resume makes further runs of the sites asked for" } else { "" };
    let help = format!("--num-runs {runs} keeps the other sites{further}; or choose another folder with --out-dir");
    Err(Problem::new(message).help(help).into())
}

/// The manifest of a batch.
pub(crate) fn of(campaign: &Campaign, batch: &Batch, sites: Vec<SiteRecord>) -> BatchManifest {
    BatchManifest {
        schema: manifest::SCHEMA,
        origin: campaign.origin(campaign.arguments_of_batch(batch)),
        seed_formula: campaign.seed_formula_name().to_owned(),
        base_seed: campaign.base_seed,
        warnings: warnings(campaign.seed_formula == SeedFormula::Sequential, campaign.base_seed, reach(batch)),
        sites,
    }
}

/// Checks that the shards in the output folder, and the shard of the campaign, split the batch into the same number of shards.
/// Shards of different numbers share sites and can never be joined.
pub(super) fn check_shards(campaign: &Campaign) -> Result<(), Failure> {
    let Some(Batch { part: BatchPart::Shard(shard), .. }) = &campaign.batch else { return Ok(()) };
    let is_other = |other: &Shard| !other.is_of_same_number(*shard);
    if let Some(other) = claim::shards_at_work(&campaign.out_dir).into_iter().find(is_other) {
        let message = format!(
            "shard {other} of a batch is being made in `{}`, and shard {shard} is not of the same number",
            shown(&campaign.out_dir)
        );
        let help = "all shards of a batch are of one number: use that of the shard that is at work, or another folder";
        return Err(Problem::new(message).help(help).into());
    }
    let lists = lists_in(&campaign.out_dir).unwrap_or_default();
    let Some(other) = lists.into_iter().filter_map(|(_, shard)| shard).find(is_other) else { return Ok(()) };
    let message = format!(
        "`{}` holds shard {other} of a batch, and shard {shard} is not of the same number",
        shown(&campaign.out_dir)
    );
    let help = "all shards of a batch are of one number: use that of the shards that are there, or another folder; to share the batch \
                out anew, remove the manifests of its shards first";
    Err(Problem::new(message).help(help).into())
}

/// Checks the manifest of a batch that is resumed, and with `--sites` the manifest to which sites are added. Returns a remark about
/// a damaged manifest in another folder than that of the output; one that would be replaced is refused elsewhere.
///
/// # Errors
/// When a manifest is of another schema, or names a path outside its folder.
pub(super) fn check_earlier(campaign: &Campaign) -> Result<Option<String>, Failure> {
    let Some(Batch { part, .. }) = &campaign.batch else { return Ok(None) };
    let is_added_to = matches!(part, BatchPart::Sites(_));
    let mut remark = None;
    for folder in campaign.resume.iter().chain(is_added_to.then_some(&campaign.out_dir)) {
        let path = folder.join(manifest::FILE_NAME);
        let Ok(text) = manifest::bytes(&path) else { continue };
        let kind = ManifestKind::of(&text);
        let Err(fault) = manifest::parse::<BatchManifest>(&text) else { continue };
        let sentence = fault.sentence(&path, kind);
        match fault.is_refusal() {
            _ if kind == ManifestKind::Site => {}
            false if is_same_place(folder, &campaign.out_dir) => {}
            false => remark = Some(format!("{sentence}; the sites in `{}` are found without it", shown(folder))),
            true if fault.is_of_another_schema() => return Err(Problem::new(sentence).help(OTHER_VERSION).into()),
            true => {
                let help =
                    "this manifest was changed, or a link was put in a place that it names, so nothing of it was read";
                return Err(Problem::new(sentence).help(help).into());
            }
        }
    }
    Ok(remark)
}

/// Whether two origins differ at most in the selected part of the batch, and in the paths of inputs with the same contents.
pub(crate) fn is_same_batch(one: &Origin, other: &Origin) -> bool {
    are_alike(one, other, &[])
}

/// The same as [`is_same_batch`], whatever the number of runs of each site.
pub(crate) fn is_same_batch_of_any_length(one: &Origin, other: &Origin) -> bool {
    are_alike(one, other, &["--num-runs"])
}

/// Whether a site is of a batch with this origin, whatever number of sites and runs the batch has.
pub(crate) fn has_site(batch: &Origin, site: &SiteManifest) -> bool {
    let value = |origin: &Origin, flag| number_of(&origin.arguments, flag);
    let offset = site.site.and_then(|number| number.checked_sub(value(batch, "--site-start")));
    let is_sequential = site.seed_formula == manifest::SEQUENTIAL;
    let seed = offset.and_then(|offset| value(batch, "--seed").checked_add(if is_sequential { offset } else { 0 }));
    seed == Some(value(&site.origin, "--seed"))
        && are_alike(batch, &site.origin, &["--num-runs", "--seed", "--site-start"])
}

fn are_alike(one: &Origin, other: &Origin, free: &[&str]) -> bool {
    let free = [&PART_FLAGS[..], &PLACE_FLAGS, free].concat();
    let essence = |origin: &Origin| {
        let mut arguments = without(&origin.arguments, &free);
        arguments.retain(|argument| argument != LENIENT);
        (origin.tool.clone(), origin.profile.resolved_sha256.clone(), arguments)
    };
    essence(one) == essence(other) && other_input(inputs_of(one), inputs_of(other)).is_none()
}

/// Whether an origin is that of a batch, or of part of one.
pub(super) fn is_batch(origin: &Origin) -> bool {
    origin.arguments.iter().any(|argument| argument == "--site-dir-pattern")
}

/// The origin, whichever part of the batch was asked for and however many sites the batch has.
pub(super) fn without_part(origin: &Origin) -> Origin {
    Origin { arguments: without(&origin.arguments, &PART_FLAGS), ..origin.clone() }
}

/// Arguments without some flags and their values.
fn without(arguments: &[String], flags: &[&str]) -> Vec<String> {
    let mut rest = arguments.iter();
    let mut kept = Vec::new();
    while let Some(argument) = rest.next() {
        if flags.contains(&argument.as_str()) {
            rest.next();
        } else {
            kept.push(argument.clone());
        }
    }
    kept
}

/// The arguments of a whole batch, from those of a part of it. `sites` lists all sites of a batch whose end is open.
pub(crate) fn arguments_of(part: &[String], sites: Option<SiteList>) -> Vec<String> {
    let mut arguments = without(part, &["--sites", "--shard"]);
    if let Some(sites) = sites {
        arguments.extend(["--sites".to_owned(), sites.to_string()]);
    }
    arguments
}

/// Number of sites of the whole batch; 0 if its end is open.
pub(crate) fn count_of(origin: &Origin) -> u64 {
    number_of(&origin.arguments, "--site-count")
}

/// Number of runs that each site of an origin was to have.
pub(crate) fn runs_of(origin: &Origin) -> u64 {
    origin.phase_runs.unwrap_or_else(|| number_of(&origin.arguments, "--num-runs"))
}

/// The value of a numeric flag; 0 if it is missing.
pub(crate) fn number_of(arguments: &[String], flag: &str) -> u64 {
    let value = arguments.iter().skip_while(|argument| *argument != flag).nth(1);
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Number of sites from the first to the last of a batch, as far as it is known.
fn reach(batch: &Batch) -> u64 {
    match (batch.count, batch.sites().last()) {
        (0, Some(last)) => (last - batch.start).saturating_add(1),
        (count, _) => count,
    }
}

/// The warning that campaigns with neighbouring base seeds repeat sites; none for hashed seeds or a single site.
pub(crate) fn warnings(is_sequential: bool, base_seed: u64, sites: u64) -> Vec<String> {
    let reach = sites.saturating_sub(1);
    if !is_sequential || reach == 0 {
        return Vec::new();
    }
    let (first, last) = (base_seed.saturating_sub(reach), base_seed.saturating_add(reach));
    vec![format!(
        "sequential seeds: a campaign of as many sites with any other base seed from {first} to {last} repeats sites of this one; \
         with --seed-formula hashed none does"
    )]
}

/// Writes the manifest of a batch into its folder.
pub(super) fn write(folder: &Path, batch: &Batch, manifest: &BatchManifest) -> Result<(), Failure> {
    let name = batch.manifest_name();
    let written = write_manifest(folder, &name, manifest);
    written.map(drop).map_err(|reason| Failure::cannot_write(&folder.join(name), reason))
}
