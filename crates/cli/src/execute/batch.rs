//! The manifest of an output folder that holds the folders of several sites.
//!
//! Promises that it depends on the sites it lists alone, not on whether they were made together, one by one with `--sites`, or as
//! shards: what is complete has the manifest of one execution.

use nandseq_trace::recorded::shown;
use std::collections::BTreeMap;
use std::path::Path;

use nandseq_output::manifest::write_manifest;
use nandseq_trace::manifest::{self, BatchManifest, Input, ManifestKind, Origin, SiteRecord};

use super::folders::is_same_place;
use crate::arguments::SeedFormula;
use crate::failure::{Failure, Problem};
use crate::origins::OTHER_VERSION;
use crate::plan::{Batch, BatchPart, Plan, SitePlan};
use crate::site_list::{Shard, SiteList};

/// Flags, each with a value, that say which part of a batch, or how long an open one is.
const PART_FLAGS: [&str; 3] = ["--sites", "--shard", "--site-count"];

/// Flags, each with a value, that say where inputs lie.
const PLACE_FLAGS: [&str; 3] = ["--config", "--badlist", "--op-state-probs"];

/// What an earlier execution left of the same batch.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Sites of the whole batch; 0 when unknown.
    count: u64,
    /// The sites that are not asked for now.
    records: Vec<SiteRecord>,
}

impl Earlier {
    /// What the manifest in the output folder says, if it is of this batch and the plan asks for part of it.
    pub(super) fn read(plan: &Plan, batch: &Batch) -> Self {
        let BatchPart::Sites(_) = batch.part else { return Self::default() };
        let Some(manifest) = of_same_batch(plan, batch) else { return Self::default() };
        let asked = batch.sites();
        let records = manifest.sites.into_iter().filter(|record| !asked.contains(&record.site)).collect();
        Self { count: count_of(&manifest.origin), records }
    }

    /// Whether there is nothing to keep.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The manifest of the plan's batch with these sites and those kept.
    pub(super) fn manifest_with(&self, plan: &Plan, batch: &Batch, made: Vec<SiteRecord>) -> BatchManifest {
        let mut records: BTreeMap<u64, SiteRecord> =
            self.records.iter().map(|record| (record.site, record.clone())).collect();
        records.extend(made.into_iter().map(|record| (record.site, record)));
        let sites: Vec<u64> = records.keys().copied().collect();
        let batch = Batch { count: batch.count.max(self.count), ..batch.clone() };
        let batch = match batch.part {
            BatchPart::Whole | BatchPart::Shard(_) => batch,
            BatchPart::Sites(_) => batch.with_sites(&sites),
        };
        of(plan, &batch, records.into_values().collect())
    }
}

/// The manifest of a batch in the output folder, or in that of a shard its own, if it is of the plan's.
fn of_same_batch(plan: &Plan, batch: &Batch) -> Option<BatchManifest> {
    let text = manifest::bytes(&plan.out_dir.join(batch.manifest_name())).ok()?;
    let mut manifest: BatchManifest = manifest::parse(&text).ok()?;
    let ours = plan.origin(plan.arguments_of_batch(batch));
    if plan.is_of(&manifest.origin.profile) {
        manifest.origin.profile.resolved_sha256.clone_from(&ours.profile.resolved_sha256);
    }
    // Sites that are gone on with may get more runs than the others have.
    let is_same = if plan.resume.is_some() { is_same_batch_of_any_length } else { is_same_batch };
    (manifest.base_seed == plan.base_seed && is_same(&manifest.origin, &ours)).then_some(manifest)
}

/// Whether the manifest of the plan's batch is there, and lists a site.
pub(super) fn lists(plan: &Plan, batch: &Batch, site: &SitePlan) -> bool {
    let lists = |manifest: BatchManifest| manifest.sites.iter().any(|record| Some(record.site) == site.site);
    of_same_batch(plan, batch).is_some_and(lists)
}

/// The manifest of a batch.
pub(crate) fn of(plan: &Plan, batch: &Batch, sites: Vec<SiteRecord>) -> BatchManifest {
    BatchManifest {
        schema: manifest::SCHEMA,
        origin: plan.origin(plan.arguments_of_batch(batch)),
        seed_formula: plan.seed_formula_name().to_owned(),
        base_seed: plan.base_seed,
        warnings: warnings(plan.seed_formula == SeedFormula::Sequential, plan.base_seed, reach(batch)),
        sites,
    }
}

/// Whether the shards that a folder lists are of the same number of shards as the plan's, if it is one: shards of different numbers share
/// sites, and can never be joined.
pub(super) fn check_shards(plan: &Plan) -> Result<(), Failure> {
    let Some(Batch { part: BatchPart::Shard(shard), .. }) = &plan.batch else { return Ok(()) };
    let Ok(entries) = plan.out_dir.read_dir() else { return Ok(()) };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut others: Vec<Shard> = names.filter_map(|name| Shard::of_manifest(&name)).collect();
    others.retain(|other| !other.is_of_same_number(*shard));
    others.sort_unstable_by_key(|other| other.manifest_name());
    let Some(other) = others.first() else { return Ok(()) };
    let message = format!(
        "`{}` holds shard {other} of a batch, and shard {shard} is not of the same number",
        shown(&plan.out_dir)
    );
    let help = "all shards of a batch are of one number: use that of the shards that are there, or another folder; to share the batch \
                out anew, remove the manifests of its shards first";
    Err(Problem::new(message).help(help).into())
}

/// Whether the manifest of the batch that is gone on with, or added to, can be: one that is of another form, or names what lies elsewhere,
/// is not replaced as if it were nothing; nor is one that lists other sites than those that are made now. What is wrong with one that is
/// replaced is returned, to be said.
pub(super) fn check_earlier(plan: &Plan) -> Result<Vec<String>, Failure> {
    let mut remarks = Vec::new();
    let Some(Batch { part, .. }) = &plan.batch else { return Ok(remarks) };
    let is_added_to = matches!(part, BatchPart::Sites(_));
    for folder in plan.resume.iter().chain(is_added_to.then_some(&plan.out_dir)) {
        let path = folder.join(manifest::FILE_NAME);
        let Ok(text) = manifest::bytes(&path) else { continue };
        let kind = ManifestKind::of(&text);
        let Err(fault) = manifest::parse::<BatchManifest>(&text) else { continue };
        if kind == ManifestKind::Site || !(fault.is_refusal() || is_added_to) {
            if kind != ManifestKind::Site && is_same_place(folder, &plan.out_dir) {
                remarks.push(format!("{}; it is written anew", fault.sentence(&path, kind)));
            }
            continue;
        }
        let help = match fault.is_refusal() {
            true if fault.is_of_another_schema() => OTHER_VERSION,
            true => "nothing of it was read: somebody changed this manifest",
            false => "without --sites, --resume finds the sites that are there and writes it anew",
        };
        return Err(Problem::new(fault.sentence(&path, kind)).help(help).into());
    }
    Ok(remarks)
}

/// Whether two origins differ at most in the part of the batch that was asked for, and in where inputs lie whose contents are the same.
pub(crate) fn is_same_batch(one: &Origin, other: &Origin) -> bool {
    are_alike(one, other, &[])
}

/// The same, whatever the number of runs of each site.
pub(crate) fn is_same_batch_of_any_length(one: &Origin, other: &Origin) -> bool {
    are_alike(one, other, &["--num-runs"])
}

fn are_alike(one: &Origin, other: &Origin, free: &[&str]) -> bool {
    let free = [&PART_FLAGS, &PLACE_FLAGS, free].concat();
    let essence = |origin: &Origin| {
        let digest = |input: &Option<Input>| input.as_ref().map(|input| input.sha256);
        let inputs = [&origin.probabilities, &origin.badlist].map(digest);
        let arguments = without(&origin.arguments, &free);
        (origin.tool.clone(), origin.profile.resolved_sha256.clone(), inputs, arguments)
    };
    essence(one) == essence(other)
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

/// The arguments of a whole batch from those of a part of it; of an open batch, of these sites.
pub(crate) fn arguments_of(part: &[String], sites: Option<SiteList>) -> Vec<String> {
    let mut arguments = without(part, &["--sites", "--shard"]);
    if let Some(sites) = sites {
        arguments.extend(["--sites".to_owned(), sites.to_string()]);
    }
    arguments
}

/// Sites of the whole batch; 0 when its end is open.
pub(crate) fn count_of(origin: &Origin) -> u64 {
    let mut arguments = origin.arguments.iter().skip_while(|argument| *argument != "--site-count");
    arguments.nth(1).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The sites that a batch reaches over, as far as that is known.
fn reach(batch: &Batch) -> u64 {
    match (batch.count, batch.sites().last()) {
        (0, Some(last)) => last - batch.start + 1,
        (count, _) => count,
    }
}

/// Sequential seeds of neighbouring campaigns are the same seeds.
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

/// Puts the manifest of a batch into its folder.
pub(super) fn write(folder: &Path, batch: &Batch, manifest: &BatchManifest) -> Result<(), Failure> {
    let name = batch.manifest_name();
    let written = write_manifest(folder, &name, manifest);
    written.map(drop).map_err(|reason| Failure::cannot_write(&folder.join(name), reason))
}
