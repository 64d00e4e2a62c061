use std::{env, error, fmt, fs, io};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Fixtures;

/// A file of cases, with the keys they are about.
#[derive(Debug)]
pub struct Suite {
    /// The keys that the cases present.
    pub fixtures: Fixtures,
    /// The cases in the order of the file. One that cannot be read does not hide the others.
    pub cases: Vec<Result<Case, Malformed>>,
}

impl Suite {
    /// Reads the file that `ADVERSARIAL_CASES` names, else the project's own copy.
    ///
    /// # Errors
    /// When the file cannot be read or is not a suite.
    pub fn from_env() -> Result<Self, SuiteError> {
        match env::var_os("ADVERSARIAL_CASES") {
            Some(path) => Self::parse(&fs::read_to_string(path).map_err(SuiteError::Read)?),
            None => Self::own(),
        }
    }

    /// The project's own copy.
    ///
    /// # Errors
    /// When the copy is not a suite.
    pub fn own() -> Result<Self, SuiteError> {
        Self::parse(include_str!("../../data/adversarial/cases.json"))
    }

    /// Reads a suite from JSON.
    ///
    /// # Errors
    /// When the text is not JSON or lacks `fixtures` or `cases`.
    pub fn parse(json: &str) -> Result<Self, SuiteError> {
        let file: File = serde_json::from_str(json).map_err(|error| SuiteError::shape(&error))?;
        let cases = file.cases.into_iter().map(Case::parse).collect();
        Ok(Self {
            fixtures: file.fixtures,
            cases,
        })
    }
}

/// Why a suite could not be read. It never quotes the file, which holds keys.
#[derive(Debug)]
#[non_exhaustive]
pub enum SuiteError {
    /// The file could not be read.
    Read(io::Error),
    /// The text is not JSON of the right shape, at this line and column.
    Shape {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

impl SuiteError {
    fn shape(error: &serde_json::Error) -> Self {
        Self::Shape {
            line: error.line(),
            column: error.column(),
        }
    }
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(_) => f.write_str("the file of cases cannot be read"),
            Self::Shape { line, column } => {
                write!(f, "not a file of cases: line {line}, column {column}")
            }
        }
    }
}

impl error::Error for SuiteError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Shape { .. } => None,
        }
    }
}

/// One input and the answer it must get. Which fields are there depends on the kind.
#[derive(Clone, Deserialize)]
pub struct Case {
    pub(super) name: String,
    pub(super) kind: String,

    pub(super) header_hex: Option<String>,
    pub(super) header_gen: Option<Repeated>,
    pub(super) raw_lines_hex: Option<Vec<String>>,
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    pub(super) fields: Option<Vec<(String, String)>>,
    pub(super) input: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) granted: Option<Value>,
    pub(super) required: Option<OneOrMany<String>>,
    pub(super) now_minus_expires_at_ns: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    pub(super) expires_at: Option<Value>,

    pub(super) expect: Option<String>,
    pub(super) expect_status: Option<OneOrMany<u16>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) expect_error: Option<Option<String>>,
    pub(super) expect_store_lookups: Option<u64>,
}

impl Case {
    /// The case's name, unique in its file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What sort of input the case holds.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The allowed statuses; none when the case names no status.
    pub(super) fn statuses(&self) -> &[u16] {
        self.expect_status.as_ref().map_or(&[], OneOrMany::as_slice)
    }

    fn parse(json: Value) -> Result<Self, Malformed> {
        let name = json.get("name").and_then(Value::as_str);
        let name = name.unwrap_or("(a case without a name)").to_owned();
        // The error's own text may quote the input.
        Self::deserialize(json).map_err(|_| Malformed {
            name,
            reason: "the case does not have the shape of its kind".to_owned(),
        })
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A case that could not be read.
#[derive(Clone, Debug)]
pub struct Malformed {
    pub(super) name: String,
    pub(super) reason: String,
}

/// A value too long to be written out: a prefix, then something many times.
#[derive(Clone, Deserialize)]
pub(super) struct Repeated {
    pub(super) prefix_hex: String,
    pub(super) repeat_hex: String,
    pub(super) count: usize,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
struct File {
    fixtures: Fixtures,
    cases: Vec<Value>,
}

/// Tells a field that is `null` from one that is not there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_the_same_as_absent() {
        let with = Case::parse(serde_json::json!({"name": "a", "kind": "k", "expect_error": null}));
        let without = Case::parse(serde_json::json!({"name": "a", "kind": "k"}));
        assert_eq!(with.unwrap().expect_error, Some(None));
        assert_eq!(without.unwrap().expect_error, None);
    }

    #[test]
    fn a_malformed_case_keeps_its_name_and_hides_its_input() {
        let case = serde_json::json!({"name": "a", "kind": "k", "header_hex": ["ak_live_"]});
        let malformed = Case::parse(case).unwrap_err();
        assert_eq!(malformed.name, "a");
        assert!(!malformed.reason.contains("ak_live_"));
    }

    #[test]
    fn debug_hides_the_input() {
        let case = serde_json::json!({"name": "a", "kind": "k", "input": "ak_live_"});
        let shown = format!("{:?}", Case::parse(case).unwrap());
        assert!(!shown.contains("ak_live_"));
    }
}
