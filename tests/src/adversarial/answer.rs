use std::fmt;

/// What a server did with a request, over either version of HTTP.
pub(super) enum Outcome {
    Answered(Answer),
    /// The stream or the connection ended without an answer; the text says how.
    Refused(String),
}

/// The parts of an answer that cases speak of.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Interim answers (1xx) that came first.
    pub(super) interim: Vec<u16>,
    /// Every `WWW-Authenticate` value.
    pub(super) challenges: Vec<String>,
    /// All that was received, to look for what must not be in it.
    pub(super) received: Vec<u8>,
}

// What was received is not shown: a server that echoes would put a key here.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("interim", &self.interim)
            .finish_non_exhaustive()
    }
}
