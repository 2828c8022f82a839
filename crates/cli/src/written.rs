//! Written runs: the profile and the sites that subcommands need to read them; and writing of files that a user named.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use nandseq_input::folder::{self, Damage, DamageKind, FoundSites, SiteFiles};
use nandseq_input::form::{AnyForm, Form};
use nandseq_input::{STANDARD_INPUT, Source};
use nandseq_output::named::NamedOutput;
use nandseq_profile::model::Expectations;
use nandseq_profile::{Profile, SourceFile};
use nandseq_report::LoadError;
use nandseq_trace::manifest::{self, Origin};
use nandseq_trace::recorded::{path_of, shown};
use nandseq_trace::table::TableKind;
use rayon::prelude::*;

use crate::arguments::reports::ReadDeviceArgs;
use crate::failure::{Failure, Problem, note_text, warning_text};
use crate::hint::{self, Hint, profile_flags};
use crate::inputs::{FORMS, ReadProfile};
use crate::interrupt::begin_file;
use crate::{
    bad_blocks, expected_fields, inputs, origins, sites_of_campaign, target, tell, terminal, unfinished, warnings,
};

/// Written runs, with what they were made from.
pub(crate) struct WrittenRuns {
    /// The flags that select the profile.
    pub(crate) flags: Vec<OsString>,
    pub(crate) profile: Profile,
    /// The profile as its file states it, by which coverage is counted: flags add only to payloads.
    pub(crate) stated: Profile,
    /// What the runs add to its payloads.
    pub(crate) expectations: Expectations,
    /// The text of the profile.
    pub(crate) profile_text: SourceFile,
    pub(crate) sites: Vec<SiteFiles>,
    /// The reader of the tables, whatever their form.
    pub(crate) source: Box<dyn Source>,
}

impl WrittenRuns {
    /// Finds the runs below `paths`. Warns on stderr of files that are not as their manifests say. `output` is the file that
    /// is made from them.
    ///
    /// # Errors
    /// When there is nothing to read, or the output would replace something that is read.
    pub(crate) fn find(paths: &[PathBuf], device: &ReadDeviceArgs, output: Option<&Path>) -> Result<Self, Failure> {
        if let Some(output) = output {
            target::check(output, "--output", paths.iter().chain(&device.config))?;
        }
        if paths.iter().any(|path| path == Path::new(STANDARD_INPUT)) {
            let problem = Problem::new("a sequence from standard input has no tables beside it");
            return Err(problem.help("name a folder or a file; `nandseqgen verify -` judges a sequence alone").into());
        }
        let FoundSites { sites, notes } = sites_of_campaign::find(paths)?;
        notes.iter().for_each(|note| tell(&note_text(note)));
        given_once(&sites)?;
        one_file_each(&sites)?;
        if let Some(output) = output {
            target::check(output, "--output", sites.iter().flat_map(target::files_of))?;
        }
        unfinished::warn(paths, &sites);
        let (read, flags) = profile(device, &sites)?;
        let source = source(&read.profile, &sites)?;
        for site in &sites {
            let differing = site.listed.par_iter().flat_map_iter(|file| folder::compare([file]));
            for damage in differing.collect::<Vec<_>>().iter().chain(&site.damage) {
                let text = format!("`{}`: {}", shown(&damage.file), damage.what);
                tell(&warning_text(&text));
            }
            if let Some(origin) = origins::of_site(site) {
                origins::same_profile(site, &origin, read.stated())?;
            }
        }
        let stated = read.stated().clone();
        let ReadProfile { profile, expectations, source: profile_text, .. } = read;
        Ok(Self { flags, profile, stated, expectations, profile_text, sites, source })
    }
}

/// Checks that it is known which file of each run counts.
fn one_file_each(sites: &[SiteFiles]) -> Result<(), Failure> {
    for Damage { file, what } in sites.iter().flat_map(|site| &site.damage) {
        if let DamageKind::TwoFiles { run, other } = what {
            let problem =
                format!("two files of run {run}, `{}` and `{}`: remove one of them", shown(file), shown(other));
            return Err(Problem::new(problem).help("a manifest.json beside them would say which one counts").into());
        }
    }
    Ok(())
}

/// The profile of some sites, and the flags that select it: the profile that `--config` names, otherwise the one that a manifest
/// of the sites names, if its file still has that content, otherwise the one that the environment names, otherwise the built-in
/// device. Tells the user of warnings.
///
/// # Errors
/// When it cannot be read, or is not known because a manifest is damaged.
pub(crate) fn profile(device: &ReadDeviceArgs, sites: &[SiteFiles]) -> Result<(ReadProfile, Vec<OsString>), Failure> {
    let yields = device.config.is_none() || device.is_config_of_environment;
    let origin = if yields { sites.iter().find_map(expected_fields::known_origin) } else { None };
    let recorded = origin.as_ref().and_then(|origin| recorded_profile(origin, device.lenient));
    let is_known = origin.is_some();
    if device.config.is_none() && !is_known {
        profile_is_not_lost(sites)?;
    }
    let was_built_in = origin.as_ref().is_some_and(|origin| origin.profile.source == inputs::BUILT_IN);
    let config = device.config.as_deref().filter(|_| !was_built_in);
    let (mut read, config, lenient) = match recorded {
        Some((read, path, lenient)) => {
            tell(&note_text(&format!("the profile is `{}`, as the manifest says", shown(&path))));
            (read, Some(path), lenient)
        }
        None => (inputs::profile(config, device.lenient)?, config.map(Path::to_path_buf), device.lenient),
    };
    if let Some(origin) = origin.filter(|_| config.is_none()) {
        origins::profile_is_found(&origin, &read.profile)?;
    }
    if config.is_none() && !is_known && !sites.is_empty() {
        tell(&note_text("no manifest names a profile: the built-in device is taken; --config names another"));
    }
    tell(&warnings::of_profile(&read, &hint::check(config.as_deref(), lenient)));
    expected_fields::add(&mut read, sites)?;
    Ok((read, profile_flags(config.as_deref(), lenient)))
}

/// Checks that no damaged manifest is the reason why the profile of these runs is not known. Judged by another profile, legal runs
/// would seem to break rules.
fn profile_is_not_lost(sites: &[SiteFiles]) -> Result<(), Failure> {
    let is_list = |damage: &&Damage| {
        let name = damage.file.file_name();
        name.is_some_and(|name| name == manifest::FILE_NAME || name == manifest::PARTIAL_NAME)
    };
    let damaged = sites.iter().flat_map(|site| &site.damage).find(is_list);
    let fault = damaged.map(|Damage { file, what }| format!("`{}`: {what}", shown(file)));
    let Some(fault) = fault.or_else(|| sites.iter().find_map(bad_blocks::fault_beside)) else { return Ok(()) };
    let message = format!("the profile of these runs is not known, because their manifest is damaged: {fault}");
    let help =
        "name the profile with --config; `nandseqgen profile show` prints that of the built-in device, for a file";
    Err(Problem::new(message).help(help).into())
}

/// The profile that a manifest names, its file, and whether it is read with `--lenient`. `None` if its content is another one
/// now: such a file is neither used nor shown, because a manifest may name any file.
pub(crate) fn recorded_profile(origin: &Origin, lenient: bool) -> Option<(ReadProfile, PathBuf, bool)> {
    let path = path_of(&origin.profile.source);
    if origin.profile.source == inputs::BUILT_IN || !path.is_file() {
        return None;
    }
    let lenient = lenient || origin.arguments.iter().any(|word| word == "--lenient");
    let read = inputs::profile(Some(&path), lenient).ok()?;
    origins::is_of(origin, &read.profile).then_some((read, path, lenient))
}

/// Checks that no site is given twice, under whatever paths: its runs would count twice.
pub(crate) fn given_once(sites: &[SiteFiles]) -> Result<(), Failure> {
    let mut seen: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    for site in sites {
        // The folder of a single file is the file itself.
        let files = site.runs.iter().map(|run| &run.path).filter(|path| **path != site.folder);
        for path in std::iter::once(&site.folder).chain(files) {
            let Some(other) = seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone()), path) else {
                continue;
            };
            let problem = match other == path {
                true => Problem::new(format!("`{}` is given twice", shown(path))).help(origins::ONCE),
                false => Problem::new(format!("`{}` and `{}` are the same", shown(other), shown(path)))
                    .help("its runs would count twice: name each file or folder once, and remove links to other sites"),
            };
            return Err(problem.into());
        }
    }
    Ok(())
}

/// The reader of the tables of some sites.
pub(crate) fn source(profile: &Profile, sites: &[SiteFiles]) -> Result<Box<dyn Source>, Failure> {
    let mut runs = sites.iter().flat_map(|site| &site.runs);
    match runs.find(|run| Form::of(&run.path, FORMS).is_some_and(|form| form.source.is_none())) {
        Some(run) => {
            let problem = Problem::new(format!("`{}`: {}", shown(&run.path), inputs::NOT_BUILT));
            Err(problem.help("build it with its default features, or write the runs as CSV").into())
        }
        None => Ok(Box::new(AnyForm::new(FORMS, profile))),
    }
}

impl WrittenRuns {
    /// Checks that every run has these tables. `what` says in the error what is made from them.
    pub(crate) fn with_tables(&self, kinds: &[TableKind], what: &str) -> Result<(), Failure> {
        for run in self.sites.iter().flat_map(|site| &site.runs) {
            let lacks = |kind: &&TableKind| !run.tables.iter().any(|table| table.kind == **kind);
            if let Some(kind) = kinds.iter().find(lacks) {
                let name = kind.name();
                let problem = Problem::new(format!("no {name} lies beside `{}`", shown(&run.path)));
                return Err(problem.help(format!("{what} from that table: generate it too (--outputs)")).into());
            }
        }
        Ok(())
    }
}

impl WrittenRuns {
    /// The failure of runs that cannot be read.
    pub(crate) fn unreadable(&self, error: LoadError) -> Failure {
        let problem = Problem::new(error.to_string());
        match error {
            LoadError::Find(error) => origins::nothing_to_judge(error),
            LoadError::Io { path, error } => Problem::unreadable("the file", &path, &error).into(),
            LoadError::File { path, .. } | LoadError::Row { path, .. } => {
                let site = self.sites.iter().map(|site| &*site.folder).find(|folder| path.starts_with(folder));
                let verify = Hint::new("verify").flags(&self.flags).operand(site.unwrap_or(&path));
                problem.help(format!("`{verify}` says everything that is wrong with it")).into()
            }
        }
    }
}

/// Writes a file that the user named with a flag, as [`NamedOutput`] says. Returns its number of bytes, or `None` if it went to
/// standard output, where nothing else is printed then.
pub(crate) fn write(
    path: &Path,
    flag: &'static str,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Option<u64>, Failure> {
    NamedFile::begin(path, flag)?.fill(fill)
}

/// A file that the user named with a flag. It can be written, and what was there before stays until it is.
pub(crate) struct NamedFile<'p> {
    path: &'p Path,
    flag: &'static str,
    output: NamedOutput,
}

impl<'p> NamedFile<'p> {
    /// Begins the file.
    pub(crate) fn begin(path: &'p Path, flag: &'static str) -> Result<Self, Failure> {
        let output = begin_file(path).map_err(|reason| Failure::cannot_write(path, reason).placed_by(flag))?;
        Ok(Self { path, flag, output })
    }

    /// Writes the file, as [`write()`] says.
    pub(crate) fn fill(self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Option<u64>, Failure> {
        let Self { path, flag, output } = self;
        let is_stdout = output.is_stdout();
        if is_stdout {
            terminal::take_standard_output();
        }
        let written = || {
            let mut out = BufWriter::new(output);
            fill(&mut out)?;
            let bytes = out.into_inner().map_err(io::IntoInnerError::into_error)?.commit()?;
            Ok((!is_stdout).then_some(bytes))
        };
        written().map_err(|reason| match is_stdout {
            true => Failure::cannot_print(reason),
            false => Failure::cannot_write(path, reason).placed_by(flag),
        })
    }
}
