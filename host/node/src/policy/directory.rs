//! A folder of policies: `**/*.cedar`, `entities.json`, `tests/**/*.toml`, and perhaps a copy of the schema.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cedar_policy::SchemaFragment;

use crate::policy::complaint::Complaint;
use crate::policy::data_test::DataTest;
use crate::policy::source::{BYTES_MAX, ENTITIES_FILE, FILES_MAX, SCHEMA, SCHEMA_FILE, Source};

/// Folders within folders.
const DEPTH_MAX: usize = 8;

/// What a folder holds.
pub struct Directory {
    pub source: Source,
    /// With the names of their files.
    pub tests: Vec<(String, DataTest)>,
}

impl Directory {
    /// Reads a folder and its tests; nothing is said yet of whether the policies are sound.
    pub fn read(path: &Path) -> Result<Directory, Vec<Complaint>> {
        let mut files = BTreeMap::new();
        collect(path, path, 0, &mut files).map_err(|complaint| vec![complaint])?;
        let mut source = Source { files: BTreeMap::new(), entities: "[]".into() };
        let mut tests = vec![];
        let mut complaints = vec![];
        for (name, text) in files {
            if name == SCHEMA_FILE {
                complaints.extend(check_schema(&text));
            } else if name == ENTITIES_FILE {
                source.entities = text;
            } else if name.ends_with(".cedar") {
                source.files.insert(name, text);
            } else if name.starts_with("tests/") && name.ends_with(".toml") {
                match DataTest::parse_all(&name, &text) {
                    Ok(found) => tests.extend(found.into_iter().map(|test| (name.clone(), test))),
                    Err(complaint) => complaints.push(complaint),
                }
            }
        }
        if source.files.is_empty() && complaints.is_empty() {
            complaints.push(Complaint::new(path.display().to_string(), "there is no file *.cedar here"));
        }
        if complaints.is_empty() { Ok(Directory { source, tests }) } else { Err(complaints) }
    }
}

fn collect(root: &Path, folder: &Path, depth: usize, files: &mut BTreeMap<String, String>) -> Result<(), Complaint> {
    let complain = |path: &Path, reason: String| Complaint::new(path.display().to_string(), reason);
    let cannot_read = |path: &Path, error: std::io::Error| complain(path, format!("cannot be read: {error}"));
    if depth > DEPTH_MAX {
        return Err(complain(folder, format!("more than {DEPTH_MAX} folders within folders")));
    }
    for entry in fs::read_dir(folder).map_err(|error| cannot_read(folder, error))? {
        let path = entry.map_err(|error| cannot_read(folder, error))?.path();
        if path.is_dir() {
            collect(root, &path, depth + 1, files)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let is_wanted = [".cedar", ".toml", ".json", ".cedarschema"].iter().any(|end| name.ends_with(end));
        if !is_wanted || name.starts_with('.') {
            continue;
        }
        let length = fs::metadata(&path).map_err(|error| cannot_read(&path, error))?.len();
        if length > BYTES_MAX as u64 || files.len() >= FILES_MAX {
            return Err(complain(&path, format!("more than {BYTES_MAX} bytes, or more than {FILES_MAX} files")));
        }
        files.insert(name, fs::read_to_string(&path).map_err(|error| cannot_read(&path, error))?);
    }
    Ok(())
}

/// A copy of the schema may differ in its words and layout, not in what it says.
fn check_schema(text: &str) -> Option<Complaint> {
    let meaning = |text: &str| SchemaFragment::from_cedarschema_str(text).map(|(fragment, _)| fragment.to_json_value());
    match meaning(text) {
        Err(error) => Some(Complaint::of_diagnostic(SCHEMA_FILE, text, &error)),
        Ok(theirs) => {
            let differs = match (theirs, meaning(SCHEMA)) {
                (Ok(theirs), Ok(Ok(ours))) => theirs != ours,
                _ => true,
            };
            let message = "this is not the schema that a node of this version enforces";
            let help =
                "Policies may use the schema, not change it: copy it from the folder policies/, or leave it out.";
            differs.then(|| Complaint::new(SCHEMA_FILE, message).help(help))
        }
    }
}
