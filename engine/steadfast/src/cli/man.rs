//! The manual pages: one for the program, and one for each of its commands.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;

/// Writes a page for `command` and for each command below it into a folder, which is made if it is not there.
pub(super) fn write(command: Command, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    // What every program has needs no page.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write_below(&command, folder)
}

fn write_below(command: &Command, folder: &Path) -> anyhow::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_below(below, folder)?;
    }
    let man = Man::new(command.clone()).manual("Steadfast");
    let mut text = Vec::new();
    page(&man, command, &mut text)?;
    let path = folder.join(man.get_filename());
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// As the library renders a page, but for what stands below a help: it would be filled like prose, and its tables with it.
fn page(man: &Man, command: &Command, out: &mut dyn Write) -> io::Result<()> {
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(out)?;
    }
    match command.get_after_help() {
        Some(text) => out.write_all(sections(&text.to_string()).as_bytes()),
        None => Ok(()),
    }
}

/// Each line that ends in a colon and begins at the margin is a heading, and what stands below it is kept line by line.
fn sections(after_help: &str) -> String {
    let mut out = String::new();
    let mut kept = false;
    for line in after_help.lines() {
        match line.strip_suffix(':').filter(|heading| !heading.starts_with(' ')) {
            Some(heading) => {
                let fill = if kept { ".fi\n" } else { "" };
                out.push_str(&format!("{fill}.SH \"{}\"\n.nf\n", escaped(&heading.to_uppercase())));
                kept = true;
            }
            None if line.is_empty() && !kept => out.push_str(".PP\n"),
            None => {
                // A paragraph before the first heading has none of its own.
                if out.is_empty() {
                    out.push_str(".SH NOTES\n");
                }
                out.push_str(&escaped(line));
                out.push('\n');
            }
        }
    }
    if kept {
        out.push_str(".fi\n");
    }
    out
}

/// Text that roff takes for text: a backslash begins a request, as do a dot and an apostrophe at the beginning of a line, and a hyphen
/// alone would be typeset as one, which nobody can copy into a shell.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_below_a_help_is_kept_line_by_line_under_its_headings() {
        let text = "One word.\n\nExamples:\n  steadfast run --log a\\b\n.hidden\n\nExit codes:\n  0  done";
        let roff = ".SH NOTES\nOne word.\n.PP\n.SH \"EXAMPLES\"\n.nf\n  steadfast run \\-\\-log a\\eb\n\\&.hidden\n\n.fi\n.SH \"EXIT CODES\"\n\
                    .nf\n  0  done\n.fi\n";
        assert_eq!(sections(text), roff);
    }
}
