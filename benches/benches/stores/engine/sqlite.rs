//! `SQLite`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::{Failure, child};

const TEMPLATE: &str = "template.db";
const ROUND: &str = "round.db";

#[derive(Debug)]
pub(crate) struct Sqlite(TempDir);

impl Sqlite {
    pub(super) fn start(directory: Option<&Path>) -> Result<Self, Failure> {
        let directory = tempfile::tempdir_in(directory.unwrap_or(&std::env::temp_dir()))?;
        child::prepare(&url(&directory.path().join(TEMPLATE)))?;
        Ok(Self(directory))
    }

    pub(super) fn begin_anew(&self) -> Result<(), Failure> {
        for entry in fs::read_dir(self.0.path())? {
            let path = entry?.path();
            if !path.ends_with(TEMPLATE) {
                fs::remove_file(path)?;
            }
        }
        let round = self.0.path().join(ROUND);
        fs::copy(self.0.path().join(TEMPLATE), &round)?;
        Ok(fs::File::open(round)?.sync_all()?)
    }

    pub(super) fn url(&self) -> String {
        url(&self.0.path().join(ROUND))
    }
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}
