//! `nandseqgen verify`: judges written sequences and shows what breaks which rule.
//!
//! Sites are judged in parallel, which changes nothing of the output. A sequence alone is enough. If a manifest lies beside it,
//! the profile must be the one that the manifest names, and so must the list of bad blocks, unless `--badlist` names another.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use nandseq_input::folder::{self, Damage, DamageKind, FoundSites, SiteFiles};
use nandseq_profile::Profile;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::model::Expectations;
use nandseq_trace::recorded::{path_of, quoted, shown};
use nandseq_verify::{Options, Report, RuleCode, SiteReport, Unusable, judge_site};
use rayon::prelude::*;

use crate::arguments::{ReportFormat, VerifyArgs};
use crate::bad_blocks::{BadBlocks, Lists};
use crate::campaign::Campaign;
use crate::failure::{Failure, Kept, Problem};
use crate::json::Of;
use crate::origins::{nothing_to_judge, same_profile};
use crate::thread_pool::threads;
use crate::{
    bad_blocks, beginnings, console, expected_fields, inputs, interrupt, json, origins, sites_of_campaign, terminal,
    unfinished, written,
};

/// Said if payloads have other fields than those of the profile, and nothing says why.
const LACKS_FLAGS: &str = "no manifest says with which flags this was made: if it was with --expect data or --status full, say so with the same flags";

/// Runs `nandseqgen verify`.
pub(crate) fn run(arguments: &VerifyArgs) -> Result<(), Failure> {
    let FoundSites { sites, mut notes } = sites_of_campaign::find(&arguments.paths)?;
    written::given_once(&sites)?;
    let (mut read, _) = written::profile(&arguments.device, &sites)?;
    let wanted = Expectations { data: arguments.expect.is_some(), full_status: arguments.status.is_some() };
    expected_fields::add_wanted(&mut read, wanted, &sites)?;
    let may_lack_flags = wanted == Expectations::default() && expected_fields::are_unknown(&sites);
    let source = written::source(&read.profile, &sites)?;
    match arguments.format {
        ReportFormat::Json => notes.extend(unfinished::campaigns(&arguments.paths, &sites)),
        ReportFormat::Text => unfinished::warn(&arguments.paths, &sites),
    }
    let mut lists = Lists::new(arguments.badlist.as_deref(), &read.profile)?;
    let sites = sites.into_iter().map(|site| with_bad_blocks(site, &mut lists, read.stated()));
    let sites: Vec<(SiteFiles, BadBlocks)> = sites.collect::<Result<_, _>>()?;
    let elsewhere: Vec<SiteFiles> = sites.iter().map(|(site, _)| site.clone()).collect();
    let (sites, lists): (Vec<SiteFiles>, Vec<BadBlocks>) = sites.into_iter().unzip();
    let sites = beginnings::once(beginnings::found(sites, &elsewhere)?.into_iter().zip(lists).collect());
    let max_findings = arguments.max_findings;
    let stop = interrupt::flag_of_caller();
    let options = Options { bad_blocks: &[], source: &*source, max_findings, stop: stop.as_deref() };
    let mut report = Report { notes, ..judge(&read.profile, sites, &options, arguments.jobs)? };
    if may_lack_flags && report.counts(RuleCode::PayloadFields).findings > 0 {
        report.notes.push(LACKS_FLAGS.to_owned());
    }
    nothing_read(&report)?;
    match arguments.format {
        // With `-q` a clean report is not printed, because the exit code says the same.
        ReportFormat::Text if console::is_quiet() && report.is_clean() => {}
        ReportFormat::Text => terminal::print(&report.to_string())?,
        ReportFormat::Json => json::print(&Of::command("verify", &report.json()))?,
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Found) }
}

/// A site with the bad blocks it is judged by. Its profile must be the one that its manifest names.
fn with_bad_blocks(
    mut site: SiteFiles,
    lists: &mut Lists<'_>,
    profile: &Profile,
) -> Result<(SiteFiles, BadBlocks), Failure> {
    let origin = origins::of_site(&site);
    if let Some(origin) = &origin {
        same_profile(&site, origin, profile)?;
    }
    let beside = if origin.is_none() && lists.are_recorded() { bad_blocks::beside(&site) } else { None };
    let beside = beside.and_then(|origin| origin.badlist);
    if let Some(list) = &beside {
        let list = path_of(&list.source);
        site.notes.push(format!("the bad blocks are those of `{}`, as the manifest beside it says", shown(&list)));
    }
    let recorded = origin.and_then(|origin| origin.badlist).or(beside);
    let blocks = lists.of(recorded.as_ref())?;
    Ok((site, blocks))
}

/// Number of findings of each rule that `generate --verify` shows in full.
const SHOWN: usize = 5;

/// Judges the sites that a campaign has just written. What else lies below its folders is not looked at. An interruption sets `stop`.
pub(crate) fn judge_written(campaign: &Campaign, stop: &AtomicBool) -> Result<Report, Failure> {
    let mut sites = Vec::new();
    for site in &campaign.sites {
        sites.push(folder::find_site(&campaign.folder_of(site), inputs::FORMS).map_err(nothing_to_judge)?);
    }
    let elsewhere = campaign.resume.as_deref().map(beginnings::of_resumed).unwrap_or_default();
    let sites = beginnings::found(sites, &elsewhere)?;
    let source = written::source(&campaign.profile, &sites)?;
    let bad_blocks = BadBlocks::from(&*campaign.bad_blocks);
    let sites = sites.into_iter().map(|site| (site, bad_blocks.clone())).collect();
    let options = Options { bad_blocks: &[], source: &*source, max_findings: SHOWN, stop: Some(stop) };
    let mut report = judge(&campaign.profile, sites, &options, campaign.jobs)?;
    if !console::is_verbose() {
        fold_notes(&mut report, campaign);
    }
    Ok(report)
}

/// Judges the site in a folder.
pub(crate) fn judge_folder(profile: &Profile, folder: &Path, bad_blocks: BadBlocks) -> Result<Report, Failure> {
    let site = folder::find_site(folder, inputs::FORMS).map_err(nothing_to_judge)?;
    let source = written::source(profile, std::slice::from_ref(&site))?;
    let options = Options { bad_blocks: &[], source: &*source, max_findings: SHOWN, stop: None };
    judge(profile, vec![(site, bad_blocks)], &options, Some(1))
}

/// Leaves one note on the sites, or the number of several: a summary is short.
fn fold_notes(report: &mut Report, campaign: &Campaign) {
    let count: usize = report.sites.iter().map(|site| site.notes.len()).sum();
    if count > 1 {
        report.sites.iter_mut().for_each(|site| site.notes.clear());
        let folder = quoted(campaign.out_dir.as_os_str());
        report.notes.push(format!("{}: `nandseqgen verify {folder}` shows them", counted(count as u64, "note")));
    }
}

/// Judges sites in parallel, each by its own bad blocks.
fn judge(
    profile: &Profile,
    sites: Vec<(SiteFiles, BadBlocks)>,
    options: &Options<'_>,
    jobs: Option<u64>,
) -> Result<Report, Failure> {
    let one = |(site, bad_blocks): (SiteFiles, BadBlocks)| {
        judge_site(profile, site, &Options { bad_blocks: &bad_blocks, ..*options })
    };
    let judged: Vec<Result<SiteReport, Unusable>> =
        threads(jobs)?.install(|| sites.into_par_iter().with_max_len(1).map(one).collect());
    let sites = judged.into_iter().collect::<Result<_, _>>().map_err(unusable)?;
    Ok(Report { profile: profile.name.clone(), max_findings: options.max_findings, notes: Vec::new(), sites })
}

/// Checks that there was a site to judge, and that something could be read if only sequences were named. Of sites, a file that cannot
/// be read is part of the verdict.
fn nothing_read(report: &Report) -> Result<(), Failure> {
    if report.sites.is_empty() {
        let problem = Problem::new("there is no site to judge");
        return Err(problem.help(report.notes.join("\n")).into());
    }
    let mut problems = Vec::new();
    for site in &report.sites {
        let is_it = |damage: &&Damage| damage.file == site.folder;
        match site.damage.iter().find(is_it).map(|damage| &damage.what) {
            Some(DamageKind::Unreadable { reason }) if site.operations == 0 && !site.folder.is_dir() => {
                problems.push(Problem::new(format!("cannot read `{}`: {reason}", shown(&site.folder))));
            }
            Some(_) | None => return Ok(()),
        }
    }
    Err(Failure::Unusable(problems))
}

fn unusable(error: Unusable) -> Failure {
    match error {
        Unusable::Find(error) => nothing_to_judge(error),
        Unusable::Temporary { folder, reason } => Failure::CannotWrite { path: folder, reason, place: "TMPDIR" },
        Unusable::Stopped => Failure::Interrupted { kept: Kept::Everything, go_on: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_on_no_site_is_refused_with_a_message() {
        let notes = vec!["`old` was left out".to_owned()];
        let report = Report { profile: String::new(), max_findings: 1, notes, sites: Vec::new() };
        let Err(Failure::Unusable(problems)) = nothing_read(&report) else { panic!("nothing was judged") };
        let expected = Problem::new("there is no site to judge").help("`old` was left out");
        assert_eq!(format!("{problems:?}"), format!("{:?}", [expected]));
    }
}
