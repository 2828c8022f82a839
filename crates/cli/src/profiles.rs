//! `nandseqgen profile …`: check, import, show, schema.

use std::io::{self, Write};
use std::path::Path;

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::diagnostic::counted;

use crate::arguments::{ProfileArgs, ProfileCommand};
use crate::failure::{Failure, Problem};
use crate::inputs;
use crate::reach;

/// Does what a profile subcommand asks.
pub(crate) fn run(command: &ProfileCommand) -> Result<(), Failure> {
    match command {
        ProfileCommand::Check(arguments) => check(&arguments.profile, arguments.pairs),
        ProfileCommand::Import(arguments) => match &arguments.path {
            Some(_) => show(arguments),
            None => Err(Problem::new("there is nothing to import").help("nandseqgen profile import PATH").into()),
        },
        ProfileCommand::Show(arguments) => show(arguments),
        ProfileCommand::Schema => print(&nandseq_profile::native::schema::json()),
    }
}

fn check(arguments: &ProfileArgs, pairs: bool) -> Result<(), Failure> {
    let read = match inputs::profile(arguments.path.as_deref(), arguments.lenient) {
        Err(Failure::Faulty(faulty)) => {
            // Every remark, not only the errors: this is the command to look at all of a file.
            crate::tell(&faulty.1.render(&faulty.0, Styling::Coloured));
            return Err(Failure::Unusable(Vec::new()));
        }
        outcome => outcome?,
    };
    let mut remarks = read.remarks;
    remarks.append(nandseq_profile::check::check(&read.profile));
    let profile = &read.profile;
    let mut text = remarks.render(&read.source, Styling::Coloured);
    text.push_str(&format!(
        "{} can be used: {}, {}, {}\n",
        read.source.name,
        counted(profile.bases.len() as u64, "base"),
        counted(profile.ops.len() as u64, "op name"),
        counted(profile.phase_keys.len() as u64, "phase key")
    ));
    text.push_str(&reach::report(profile, pairs));
    print(&text)
}

fn show(arguments: &ProfileArgs) -> Result<(), Failure> {
    let read = inputs::profile(arguments.path.as_deref(), arguments.lenient)?;
    let rendered = read.remarks.render(&read.source, Styling::Coloured);
    crate::tell(&rendered);
    match arguments.path {
        // The built-in device is shown as it was written, comments and all.
        None => print(&read.source.text),
        Some(_) => print(&nandseq_profile::native::write(&read.profile)),
    }
}

/// Writes to stdout, without colours where it is no terminal.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever reads has seen enough.
        Err(reason) if reason.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|reason| Failure::cannot_write(Path::new("standard output"), reason)),
    }
}
