//! `nandseqgen profile …`: check, import, show, schema.

use std::io::{self, Write};
use std::path::Path;

use nandseq_profile::diagnostic::Styling;

use crate::arguments::{CheckArgs, ProfileArgs, ProfileCommand};
use crate::failure::{Failure, Problem};
use crate::in_force::InForce;
use crate::inputs;
use crate::plan::table::Wanted;
use crate::reach::{self, Listing};

/// Does what a profile subcommand asks.
pub(crate) fn run(command: &ProfileCommand) -> Result<(), Failure> {
    match command {
        ProfileCommand::Check(arguments) => check(arguments),
        ProfileCommand::Import(arguments) => match &arguments.path {
            Some(_) => show(arguments),
            None => Err(Problem::new("there is nothing to import").help("nandseqgen profile import PATH").into()),
        },
        ProfileCommand::Show(arguments) => show(arguments),
        ProfileCommand::Schema => print(&nandseq_profile::native::schema::json()),
    }
}

fn check(arguments: &CheckArgs) -> Result<(), Failure> {
    let mut in_force = arguments.in_force.clone();
    if arguments.path.is_some() {
        in_force.device.config.clone_from(&arguments.path);
    }
    let device = &in_force.device;
    let read = match inputs::profile(device.config.as_deref(), device.lenient) {
        Err(Failure::Faulty(faulty)) => {
            // Every remark, not only the errors: this is the command to look at all of a file.
            crate::tell(&faulty.1.render(&faulty.0, Styling::Coloured));
            return Err(Failure::Unusable(Vec::new()));
        }
        outcome => outcome?,
    };
    let mut remarks = String::new();
    let in_force = InForce::of_profile(read, (device, &in_force.table), &Wanted::of_flags(&in_force), &mut remarks);
    crate::tell(&remarks);
    let in_force = in_force?;
    let profile = &in_force.profile;
    let mut about = in_force.about_profile.clone();
    about.append(nandseq_profile::check::check(profile));
    let mut text = about.render(&in_force.source, Styling::Coloured);
    text.push_str(&format!(
        "{} can be used: {} bases, {} op names, {} phase keys\n",
        in_force.source.name,
        profile.bases.len(),
        profile.ops.len(),
        profile.phase_keys.len()
    ));
    text.push_str(&reach::report(&in_force, &Listing { pairs: arguments.pairs, ops: &arguments.op })?);
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
