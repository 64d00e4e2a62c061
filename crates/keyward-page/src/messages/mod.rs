//! Every text of the page, and what stands for numbers in them.

mod define;
mod texts;

pub use texts::Messages;

/// The text with the number in its place.
pub(crate) fn fill(text: &str, n: impl std::fmt::Display) -> String {
    text.replace("{n}", &n.to_string())
}
