//! Packed comma-separated tables.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Res;

pub fn find(folder: &Path, start: &str, end: &str) -> Res<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| {
            let name = p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(start) && name.ends_with(end)
        })
        .collect();
    found.sort();
    found.into_iter().next().ok_or_else(|| format!("no {start}*{end} in {}", folder.display()).into())
}

/// A comma-separated table. Quoted fields keep their commas.
pub struct Table {
    columns: HashMap<String, usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn rows(&self) -> std::ops::Range<usize> {
        0..self.rows.len()
    }

    pub fn text(&self, row: usize, column: &str) -> Option<&str> {
        let field = self.rows.get(row)?.get(*self.columns.get(column)?)?;
        (!field.is_empty()).then_some(field)
    }

    pub fn number(&self, row: usize, column: &str) -> Option<f64> {
        self.text(row, column)?.parse().ok()
    }
}

pub fn read(path: &Path) -> Res<Table> {
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path)?).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(split);
    let header = lines.next().ok_or("an empty table")?;
    let columns = header.into_iter().enumerate().map(|(i, name)| (name, i)).collect();
    Ok(Table { columns, rows: lines.collect() })
}

pub fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => {
                if let Some(f) = fields.last_mut() {
                    f.push(c);
                }
            }
        }
    }
    fields
}
