//! `nandseqgen shell-files` and `nandseqgen completions`: manual pages and completion scripts, made from the command line's own
//! description.
//!
//! Each subcommand has a page with all of its flags. Pages and scripts have the names, and lie in the folders, that the systems
//! look for.

use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::recorded::quoted;

use crate::arguments::environment::documented;
use crate::failure::Failure;
use crate::{console, terminal, written};

const NAME: &str = env!("CARGO_PKG_NAME");

/// Where each shell's script lies, below a `share` folder.
const SCRIPTS: [(Shell, &str); 5] = [
    (Shell::Bash, "bash-completion/completions/nandseqgen"),
    (Shell::Zsh, "zsh/site-functions/_nandseqgen"),
    (Shell::Fish, "fish/vendor_completions.d/nandseqgen.fish"),
    (Shell::PowerShell, "nandseqgen/_nandseqgen.ps1"),
    (Shell::Elvish, "elvish/lib/nandseqgen.elv"),
];
/// Where manual pages lie, below a `share` folder.
const PAGES: &str = "man/man1";

/// Prints the completion script of a shell.
pub(crate) fn print_completions(shell: Shell) -> Result<(), Failure> {
    terminal::print(&String::from_utf8_lossy(&script(shell)))
}

/// Writes all pages and scripts below a folder.
pub(crate) fn write(folder: &Path) -> Result<(), Failure> {
    let pages = pages().map_err(|reason| Failure::cannot_write(folder, reason))?;
    for (name, text) in &pages {
        put(&folder.join(PAGES).join(name), text)?;
    }
    for (shell, path) in SCRIPTS {
        put(&folder.join(path), &script(shell))?;
    }
    if console::is_quiet() {
        return Ok(());
    }
    let (pages, scripts) =
        (counted(pages.len() as u64, "manual page"), counted(SCRIPTS.len() as u64, "completion script"));
    let mut text = format!("{pages} and {scripts}:\n");
    text.push_str(&format!("  {}\n", quoted(folder.join(PAGES).as_os_str())));
    for (_, path) in SCRIPTS {
        text.push_str(&format!("  {}\n", quoted(folder.join(path).as_os_str())));
    }
    terminal::print(&text)
}

fn put(path: &Path, text: &[u8]) -> Result<(), Failure> {
    written::write(path, "DIR", |out| out.write_all(text)).map(drop)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut documented(), NAME, &mut script);
    script
}

/// The pages of the program and of all of its subcommands, with the names of their files.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = documented().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add_pages(&command, NAME, &mut pages)?;
    Ok(pages)
}

fn add_pages(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let mut text = Vec::new();
    // Pages of subcommands are named as those of git: nandseqgen-coverage-report.
    let page = command.clone().display_name(name.to_owned());
    Man::new(page).manual("nandseqgen").render(&mut text)?;
    pages.push((format!("{name}.1"), text));
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set()) {
        add_pages(inner, &format!("{name}-{}", inner.get_name()), pages)?;
    }
    Ok(())
}
