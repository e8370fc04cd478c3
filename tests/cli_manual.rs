//! Help, completions and manual pages come from one definition and know every command.

mod cli_support;

use cli_support::{Home, entries};

const COMMANDS: [&str; 17] = [
    "demo",
    "network",
    "node",
    "insert",
    "fetch",
    "jobs",
    "keys",
    "status",
    "peers",
    "relays",
    "site",
    "sim",
    "compare",
    "lab",
    "gateway",
    "completions",
    "man",
];

#[test]
fn the_help_names_every_command() {
    let home = Home::new();
    let help = home.run(&["--help"]);
    assert_eq!(help.code, 0);
    let text = String::from_utf8(help.stdout).unwrap();
    for command in COMMANDS {
        assert!(text.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {text}");
        assert_eq!(home.run(&[command, "--help"]).code, 0, "{command}");
    }
    assert_eq!(home.run(&["--version"]).code, 0);
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Home::new().run(&["completions", shell]);
        let text = String::from_utf8(script.stdout).unwrap();
        assert!(script.code == 0 && COMMANDS.iter().all(|command| text.contains(command)), "{shell}");
    }
    assert_eq!(Home::new().run(&["completions", "tcsh"]).code, 2);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let home = Home::new();
    assert_eq!(home.run(&["man", "pages"]).code, 0);
    let pages = entries(&home.path("pages"));
    assert!(pages.contains(&"bolthole.1".to_owned()), "{pages:?}");
    for command in COMMANDS {
        assert!(pages.contains(&format!("bolthole-{command}.1")), "{command}: {pages:?}");
    }
    home.file("taken", b"");
    assert_eq!(home.run(&["man", "taken"]).code, 1);
}
