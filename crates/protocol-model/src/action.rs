//! What happens, in words.

use std::fmt::{self, Display};

use crate::node::Answer;
use crate::promise::Verdict;
use crate::store::{Change, Facts};

/// One step of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Action {
    Tick,
    VerificationFindsEntry(Answer, u8),
    VerificationFindsNothing(u8),
    VerificationLooksForAbsence,
    TimeIsChecked(bool),
    VersionIsCompared(bool),
    VerificationJoins,
    VerificationStartsLoad,
    CallerGoesAway,
    Decision(Verdict),
    LoadLeaves,
    LoadIsRead,
    LoadIsReadFromReplica,
    LoadReadsNumber,
    LoadReadsRows,
    LoadReadsTheRest,
    LoadLands(Answer),
    PollIsSent,
    PollIsAnswered,
    PollIsAnsweredByReplica,
    PollIsLost,
    ChangesAreApplied,
    FloorIsRaised,
    HistoryIsNamed,
    HistoryIsCounted,
    LeaseIsExtended,
    LeaseGrows,
    OtherKeyIsChanged,
    NumberIsTaken,
    ChangedElsewhere(Change),
    WriteIsCalled,
    WriteIsRefused,
    ChangedHere(Change),
    ChangeIsLogged,
    WriteHasWaited,
    ReplicaCatchesUp,
    Failover(u8),
    BeatIsSent,
    BeatIsMade,
    BeatIsGivenUp,
    BeatIsAnswered,
    BeatIsMadeUnheard,
    NodeHasNews,
    NodeReports,
    NodeStopsBelieving,
    NodeDeletesItsRow,
    StruckByAnother,
    RegisterIsAsked,
    RegisterIsRead,
    RegisterAnswers,
    StrikeIsSent,
    RowIsStruck,
}

impl Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tick => "a tick of the clock",
            Self::VerificationFindsEntry(entry, due) => {
                return write!(
                    f,
                    "a verification starts{}, and takes the entry: {entry}",
                    owed(*due)
                );
            }
            Self::VerificationFindsNothing(due) => {
                return write!(f, "a verification starts{}, and finds no entry", owed(*due));
            }
            Self::VerificationLooksForAbsence => "a verification looks whether the key is absent",
            Self::TimeIsChecked(true) => "a verification checks the time: good",
            Self::TimeIsChecked(false) => "a verification checks the time: too old",
            Self::VersionIsCompared(true) => "a verification compares the version: good",
            Self::VersionIsCompared(false) => "a verification compares the version: too small",
            Self::VerificationJoins => "a verification joins a load",
            Self::VerificationStartsLoad => "a verification starts a load",
            Self::CallerGoesAway => "whoever waits for a load goes away",
            Self::Decision(Verdict::Accepted) => "a verification ends: accepted",
            Self::Decision(Verdict::Refused) => "a verification ends: refused",
            Self::Decision(Verdict::Unknown) => "a verification ends: no such key",
            Self::Decision(Verdict::Unavailable) => "a verification ends: unavailable",
            Self::LoadLeaves => "the load leaves",
            Self::LoadIsRead => "the primary answers the load",
            Self::LoadIsReadFromReplica => "the replica answers the load",
            Self::LoadReadsNumber => "the load reads the number",
            Self::LoadReadsRows => "the load reads the rows",
            Self::LoadReadsTheRest => "the load reads the rest",
            Self::LoadLands(answer) => return write!(f, "the load lands: {answer}"),
            Self::PollIsSent => "a poll is sent",
            Self::PollIsAnswered => "the primary answers the poll",
            Self::PollIsAnsweredByReplica => "the replica answers the poll",
            Self::PollIsLost => "the poll fails",
            Self::ChangesAreApplied => "the poll's changes are applied",
            Self::FloorIsRaised => "the poll tells of another history: the floor is raised",
            Self::HistoryIsNamed => "the first half of the new history is noted",
            Self::HistoryIsCounted => "the second half of the new history is noted",
            Self::LeaseIsExtended => {
                "the lease is extended, and a write that waited for it returns"
            }
            Self::LeaseGrows => "the lease is extended (broken rule)",
            Self::OtherKeyIsChanged => "another key changes",
            Self::NumberIsTaken => "a change takes its number and is not committed (broken rule)",
            Self::ChangedElsewhere(change) => return write!(f, "{change}, elsewhere"),
            Self::WriteIsCalled => "a write sets out here",
            Self::WriteIsRefused => "the write is refused",
            Self::ChangedHere(change) => return write!(f, "{change}, here"),
            Self::ChangeIsLogged => "the change is appended to the log",
            Self::WriteHasWaited => "the write has waited for long enough and returns",
            Self::ReplicaCatchesUp => "the replica catches up",
            Self::Failover(kept) => {
                return write!(f, "another server takes over, with {kept} changes");
            }
            Self::BeatIsSent => "the node sends a beat",
            Self::BeatIsMade => "the beat is written",
            Self::BeatIsGivenUp => "the node gives the beat up",
            Self::BeatIsAnswered => "a beat is answered",
            Self::BeatIsMadeUnheard => "a beat is written that the node hears nothing of",
            Self::NodeHasNews => "the node sets out to report (broken rule)",
            Self::NodeReports => "the node reports what it has applied",
            Self::NodeStopsBelieving => "the node shuts down and believes nothing any more",
            Self::NodeDeletesItsRow => "the node shuts down and deletes its row",
            Self::StruckByAnother => "somebody else strikes the node's row",
            Self::RegisterIsAsked => "the writer elsewhere asks for the register",
            Self::RegisterIsRead => "the register is read",
            Self::RegisterAnswers => "the register's answer arrives",
            Self::StrikeIsSent => "the writer elsewhere sends to strike the row",
            Self::RowIsStruck => "the strike is carried out",
        })
    }
}

fn owed(due: u8) -> &'static str {
    match due {
        0 => "",
        _ => ", which must know of the change",
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = match self.facts {
            Facts::Absent => "no such key",
            Facts::Passes => "good",
            Facts::Barred => "barred",
        };
        let (count, number) = (self.version >> 4, self.version & 15);
        let until = self.until;
        write!(
            f,
            "{facts}, as of change {number} of history {count}, of its age for {until} ticks"
        )
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing | Self::Uncommitted => f.write_str("nothing changes"),
            Self::Other => f.write_str("another key changes"),
            Self::Revoke(key) => write!(f, "key {key} is revoked"),
            Self::Create => f.write_str("key 0 is made"),
            Self::Suspend => f.write_str("the tenant is suspended"),
        }
    }
}
