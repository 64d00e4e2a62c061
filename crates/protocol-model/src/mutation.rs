//! What a careless hand could break.

/// One rule taken away, or two steps in the other order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    // Rule 1: believing.
    /// Time is not asked: what was read is believed for ever.
    TimeNotChecked,
    /// The version is not asked: invalidating reaches nothing.
    VersionNotChecked,
    /// The version is compared first, then the time.
    VersionBeforeTime,
    /// The age of an answer counts from when it came.
    AgeFromReceipt,
    /// A replica's answer lives by its age, as the primary's does.
    ReplicaTrustedByAge,
    /// Whoever joined a load takes its answer as it is.
    JoinersNotChecked,
    // Rule 2: loading.
    /// The rows are read first, the number after them.
    RowsBeforeNumber,
    /// The history that a load's number counts in is not compared.
    LoadsWithoutHistory,
    /// A question notes the name of the present history first, and the count after it.
    NameBeforeCount,
    /// A new history's count is stored before its name.
    CountStoredBeforeName,
    /// The second attempt may join a load that was there before the first had failed.
    SecondAttemptJoinsAnything,
    // Rule 3: polling.
    /// The lease counts from when the poll's answer came.
    LeaseFromReceipt,
    /// The lease is extended before the changes are applied.
    LeaseBeforeApplying,
    /// The lease is extended because a connection is open.
    LeaseWithoutPoll,
    /// The cursor moves although the answer is thrown away.
    CursorBeforeApplying,
    /// A poll may be answered by a replica.
    PollsAskReplicas,
    /// Numbers are taken before the commit, as a sequence does.
    NumbersNotInCommitOrder,
    /// Another history is told by its numbers alone.
    HistoryByNumbersAlone,
    /// Another history is told by the cursor's token alone.
    HistoryByTokenAlone,
    /// Another history is told by its name alone: the token is not looked for.
    HistoryByNameAlone,
    /// A cursor whose events are forgotten gets those that are left.
    ForgottenEventsPassedOver,
    /// A minimum takes the number of the event at hand, be it smaller.
    MinimumsSetNotRaised,
    /// An event raises no minimum for the public ids it names.
    PublicIdsNotNamed,
    /// An insert does not say that credentials are found anew.
    RefoundNotSaid,
    /// An event of a tenant raises nothing.
    TenantsNotApplied,
    /// Facts that others may change unseen are believed by the lease.
    LeaseWithUnseenWriters,
    // Rule 4: writing.
    /// A write returns at once.
    WritesDoNotWait,
    /// A write returns after a poll that was sent before its commit.
    WritesTakeAnyPoll,
    /// The time after which a write gives up waiting counts from when the commit was sent.
    WritesCountFromTheCall,
    /// A write gives up waiting after a lease, although facts are believed for longer.
    WritesWaitALease,
    /// How long facts are believed is learnt from the first answer, not known from the start.
    TrustLearntFromAnswers,
    /// The promise of a log in this process counts from when the rows changed, not the log.
    PromisedFromTheRows,
    // The register and the receipt.
    /// A lease goes beyond the last contact.
    ContactNotAskedOfLeases,
    /// An answer's age goes beyond the last contact.
    ContactNotAskedOfLoads,
    /// Contact counts from when the beat's answer came.
    ContactFromReceipt,
    /// Any answered poll is contact.
    PollsAreContact,
    /// Telling what was applied is contact.
    ReportsAreContact,
    /// A node that has to register anew goes on as if it had not.
    ChainGoesOn,
    /// Polls that were sent before the node had registered anew extend its lease.
    EarlierPollsCount,
    /// Loads that were sent before the node had registered anew live by their age.
    EarlierLoadsCount,
    /// What was sent after the beat that registers anew counts, before the beat was answered.
    ChainFromTheBeatsSending,
    /// When it registers anew, a node goes on to count its last poll before that.
    LastPollKept,
    /// When it registers anew, a node goes on with the lease that it holds.
    LeaseNotCut,
    /// A beat tells whether it made the row, not which registration it belongs to.
    RegistrationNotNamed,
    /// A chain of beats goes on in another history.
    ChainAcrossHistories,
    /// A row is struck by its beat alone, and a registration's beats start from one.
    StruckByBeatAlone,
    /// A row is struck by a beat that was seen in another history.
    StruckAcrossHistories,
    /// A row is struck whatever its beat.
    StruckWithoutComparing,
    /// A row is struck as soon as it was seen.
    StruckAtOnce,
    /// A row's silence counts from when the register was asked.
    SilenceFromTheAsking,
    /// A node tells what it has read before it has applied it.
    ReportedBeforeApplying,
    /// A register that was read before the commit counts.
    RegisterReadBeforeCommit,
    /// What a node has applied is compared without its history.
    AppliedByNumberAlone,
    /// A node that leaves deletes its row, and stops believing after that.
    LeavesBeforeStopping,
    /// The register of a history that has just been heard of counts.
    NewHistoryNotWaitedFor,
    /// A register of another history than the writer's cursor counts.
    RegisterWithoutHistory,
}
