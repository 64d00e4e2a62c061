use clap::{Args, ValueEnum};
use keyward::KeyFormat;
use serde_json::json;

use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;

#[derive(Args, Debug)]
pub(crate) struct ScannerRule {
    /// For whom
    #[arg(long, value_enum)]
    tool: Tool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tool {
    /// Rules for a .gitleaks.toml
    Gitleaks,
    /// Custom detectors for TruffleHog's configuration
    Trufflehog,
    /// Expressions for GitHub's secret scanning partners, and for custom patterns
    Github,
}

impl ScannerRule {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let formats = options.some_formats()?;
        if out.json {
            for format in &formats {
                let (name, expression) = (format.prefix(), format.expression());
                out.object(&json!({
                    "name": name,
                    "expression": expression,
                    "beginning": beginning(format),
                }))?;
            }
            return Ok(());
        }
        let rules: Vec<String> = formats
            .iter()
            .map(|format| self.tool.rule(format))
            .collect();
        let text = match self.tool {
            Tool::Gitleaks => rules.join("\n\n"),
            Tool::Trufflehog => format!("detectors:\n{}", rules.join("\n")),
            Tool::Github => rules.join("\n\n"),
        };
        Ok(out.line(&text)?)
    }
}

impl Tool {
    fn rule(self, format: &KeyFormat) -> String {
        let (prefix, expression) = (format.prefix(), format.expression());
        let beginning = beginning(format);
        match self {
            // Literal strings of TOML and YAML: prefixes and expressions hold no apostrophe. Both tools
            // look for keywords in small letters.
            Self::Gitleaks => format!(
                "[[rules]]\n\
                 id = \"{id}-api-key\"\n\
                 description = \"An API key that begins with {beginning}\"\n\
                 regex = '''{expression}'''\n\
                 keywords = [\"{keyword}\"]",
                id = prefix.to_ascii_lowercase().replace('_', "-"),
                keyword = beginning.to_ascii_lowercase(),
            ),
            Self::Trufflehog => format!(
                "  - name: {prefix}\n    \
                     keywords:\n      - '{keyword}'\n    \
                     regex:\n      key: '{expression}'",
                keyword = beginning.to_ascii_lowercase(),
            ),
            // The ends of words are what GitHub's patterns have around them in any case.
            Self::Github => format!("# {prefix}\n{}", bare(&expression)),
        }
    }
}

/// What all keys of a format begin with, up to what follows the prefix.
fn beginning(format: &KeyFormat) -> String {
    let expression = bare(&format.expression()).replace('\\', "");
    let end = expression.find('[').unwrap_or(expression.len());
    expression.get(..end).unwrap_or_default().to_owned()
}

fn bare(expression: &str) -> String {
    let text = expression.strip_prefix(r"\b").unwrap_or(expression);
    text.strip_suffix(r"\b").unwrap_or(text).to_owned()
}
