//! The list of sealed columns is complete: it is compared with the entities.

use std::{collections::BTreeSet, fs, path::Path};

use shuoshi::keys::table::{HASHED, SEALED};

/// Columns of the entities' sources whose type or name `wanted` likes, as `table.column`.
fn columns(wanted: impl Fn(&str, &str) -> bool) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("entity/src");
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap().flatten() {
        let text = fs::read_to_string(file.path()).unwrap();
        let Some((_, rest)) = text.split_once("table_name = \"") else { continue };
        let (table, rest) = rest.split_once('"').unwrap();
        let model = rest.split_once("pub struct Model {").unwrap().1.split_once("\n}").unwrap().0;
        for line in model.lines().filter_map(|line| line.trim().strip_prefix("pub ")) {
            let (name, kind) = line.split_once(": ").unwrap();
            if wanted(name, kind) {
                found.insert(format!("{table}.{name}"));
            }
        }
    }
    found
}

#[test]
fn every_sealed_column_is_sealed_anew() {
    let in_entities = columns(|_, kind| kind.contains("Sealed"));
    assert!(in_entities.len() > 15, "the sources were not understood: {in_entities:?}");
    let listed: BTreeSet<String> = SEALED
        .iter()
        .flat_map(|table| table.columns.iter().map(|(column, _)| format!("{}.{column}", table.table)))
        .collect();
    let missing: Vec<_> = in_entities.difference(&listed).collect();
    assert!(missing.is_empty(), "src/keys/table.rs (SEALED) lacks {missing:?}");
    // Sealed text in a column of another type.
    let beyond: Vec<_> = listed.difference(&in_entities).collect();
    assert_eq!(beyond, ["idempotent_answer.body"]);
}

#[test]
fn every_hash_of_personal_data_is_made_anew() {
    // Hashes that are not of a kept value: they end with what they belong to.
    const OTHERS: [&str; 4] = ["audit_entry.hash", "audit_head.hash", "phone_code.code_hash", "refresh_token.hash"];
    let in_entities = columns(|name, _| name.ends_with("hash") && name != "password_hash");
    let listed: BTreeSet<String> = HASHED.iter().map(|column| format!("{}.{}", column.table, column.hash)).collect();
    let missing: Vec<_> = in_entities.difference(&listed).filter(|name| !OTHERS.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "src/keys/table.rs (HASHED) lacks {missing:?}");
}
