//! Modules use only what lies below them (architecture, section 2).

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The floors, the lowest first. Modules of one floor may use each other, features only by what their `mod.rs` offers.
const FLOORS: &[&[&str]] = &[
    &[
        "problem",
        "config",
        "clock",
        "crypto",
        "personal",
        "db",
        "telemetry",
        "http",
        "wechat",
        "wecom",
        "wechat_sim",
        "lists",
        "sms",
        "calendar",
        "sheets",
    ],
    &["auth", "audit", "jobs", "keys", "notices", "subscriptions"],
    FEATURES,
    &["openapi", "operations", "dev", "backup"],
    &["app"],
    &["demo"],
    &["commands"],
];
const FEATURES: &[&str] = &[
    "divisions",
    "people",
    "catalogue",
    "talks",
    "cases",
    "staffing",
    "settings",
    "reports",
    "webhooks",
    "open311",
    "pushes",
    "content",
    "publications",
    "files",
    "call_list",
];

/// Upward edges that stand: module, what it uses, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("*", "app", "App holds the database, clock and configuration that every operation is handed"),
    ("jobs", "talks", "a sweep of the feature: the match over sweeps is the registry"),
    ("jobs", "cases", "likewise"),
    ("jobs", "people", "likewise, and a job of the feature"),
    ("jobs", "staffing", "likewise"),
    ("jobs", "settings", "the worker looks whether a place set something since"),
    ("jobs", "webhooks", "a job of the feature and its sweep"),
    ("jobs", "open311", "what is forgotten with the other answers"),
    ("jobs", "content", "a job of the feature and its sweep"),
    ("jobs", "publications", "likewise, and what is forgotten"),
    ("jobs", "pushes", "a job of the feature, and what is forgotten"),
    ("jobs", "files", "sweeps of the feature"),
    ("notices", "pushes", "a report that came and was not read yet is a report"),
    ("notices", "cases", "whom a complaint is about is not told that somebody is to be called"),
    ("notices", "divisions", "which desks lie above a place"),
    ("app", "dev", "app mounts it"),
];

/// Every source file under `src` and its text.
pub fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                files.push((path.strip_prefix(&root).unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// What a file uses of other modules: `talks::ops::x` of `use crate::{talks::ops::x}` or of `crate::talks::ops::x`.
fn used(text: &str) -> Vec<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut part = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut part)),
                    _ if depth == 0 && !letter.is_whitespace() => part.push(letter),
                    _ => {}
                }
            }
            found.push(part);
        } else {
            found.push(rest.chars().take_while(|letter| letter.is_alphanumeric() || "_:".contains(*letter)).collect());
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

#[test]
fn uses_are_read_out_of_a_file() {
    let text =
        "use crate::{app::App, talks::{self, ops::x}, db};\n// crate::comment\nfn f() { crate::cases::ops::y() }";
    assert_eq!(used(text), ["app::App", "talks::", "db", "cases::ops::y"]);
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let first = file.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if ["lib", "main", "guide"].contains(&module) {
            continue;
        }
        let Some(own) = floor(module) else {
            wrong.push(format!("{module} stands on no floor"));
            continue;
        };
        let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        for path in used(&text[..tests]) {
            let target = path.split("::").next().unwrap();
            let Some(their) = floor(target) else { continue };
            let allowed = EXCEPTIONS.iter().any(|(from, to, _)| (*from == "*" || *from == module) && *to == target);
            if their > own && !allowed {
                wrong.push(format!("{} uses {path}, which lies above it", file.display()));
            }
            let inside = target != module
                && FEATURES.contains(&target)
                && ["ops", "api", "views"].contains(&path.split("::").nth(1).unwrap_or(""));
            if inside {
                wrong.push(format!("{} reaches into {path}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
