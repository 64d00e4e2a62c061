use std::io;
use std::time::Duration;

use keyward_postgres::{Diagnosis, Fires, LogFacts, NodeFacts, StandbyFacts, Way};
use serde_json::json;

use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;
use crate::time::rough;

/// What was found of one thing, and what to do about it.
struct Finding {
    severity: Severity,
    what: &'static str,
    found: String,
    advice: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    Ok,
    Warn,
    Fail,
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

pub(super) async fn run(options: &Options, out: &mut Out) -> Result<(), Failure> {
    let diagnosis = options.store()?.diagnose().await?;
    let findings = judge(&diagnosis);
    let written = print(&findings, out);
    let failed = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Fail);
    // What is wrong is so, whoever reads of it.
    match failed.count() {
        0 => Ok(written?),
        failed => Err(Failure::Some(format!(
            "{failed} of {} checks failed",
            findings.len()
        ))),
    }
}

fn print(findings: &[Finding], out: &mut Out) -> io::Result<()> {
    if out.json {
        for finding in findings {
            out.object(&json!({
                "check": finding.what,
                "severity": finding.severity.as_str().to_ascii_lowercase(),
                "found": finding.found,
                "advice": finding.advice,
            }))?;
        }
        return Ok(());
    }
    let row = |finding: &Finding| {
        let advice = finding.advice.as_ref();
        let found = match advice {
            None => finding.found.clone(),
            Some(advice) => format!("{}: {advice}", finding.found),
        };
        vec![
            finding.severity.as_str().to_owned(),
            finding.what.to_owned(),
            found,
        ]
    };
    out.table(&[], &[2], findings.iter().map(row))
}

fn judge(diagnosis: &Diagnosis) -> Vec<Finding> {
    let mut findings = vec![server(
        &diagnosis.server,
        diagnosis.standby,
        diagnosis.fsync,
    )];
    findings.extend(settings(diagnosis));
    findings.push(schema(diagnosis));
    findings.extend(triggers(diagnosis));
    findings.push(clock(diagnosis));
    findings.push(pool(diagnosis));
    findings.push(direct(diagnosis));
    findings.push(notifications(diagnosis));
    findings.extend(diagnosis.log.as_ref().map(log));
    findings.extend(nodes(diagnosis));
    findings.extend(standbys(diagnosis));
    findings
}

fn ok(what: &'static str, found: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Ok,
        what,
        found: found.into(),
        advice: None,
    }
}

impl Finding {
    fn warn(mut self, advice: impl Into<String>) -> Self {
        self.severity = Severity::Warn;
        self.advice = Some(advice.into());
        self
    }

    fn fail(mut self, advice: impl Into<String>) -> Self {
        self.severity = Severity::Fail;
        self.advice = Some(advice.into());
        self
    }
}

fn server(version: &str, standby: bool, fsync: bool) -> Finding {
    let found = format!("Postgres {version}");
    if standby {
        let found = ok("server", format!("{found}, a standby"));
        return found.fail("keys are kept by the primary; name that one in DATABASE_URL");
    }
    let major = version.split(['.', ' ']).next();
    let major: Option<u32> = major.and_then(|major| major.parse().ok());
    if major.is_some_and(|major| major < OLDEST) {
        return ok("server", found).fail(format!("Keyward needs Postgres {OLDEST} or newer"));
    }
    if !fsync {
        let advice = "fsync is off: after a crash a revoked key may be good again; switch it on";
        return ok("server", found).warn(advice);
    }
    ok("server", found)
}

const OLDEST: u32 = 13;

fn settings(diagnosis: &Diagnosis) -> Vec<Finding> {
    let unfit = diagnosis.unfit_settings.iter();
    let unfit = unfit.map(|setting| {
        let must = match setting.split(' ').next() {
            Some("server_encoding") => "the database must have the encoding UTF8",
            Some("default_transaction_isolation") => {
                "for these connections it must be read committed, or polls miss changes"
            }
            _ => "for these connections it must be off",
        };
        ok("settings", setting.clone()).fail(must)
    });
    unfit.collect()
}

fn schema(diagnosis: &Diagnosis) -> Finding {
    let (present, needed) = (diagnosis.schema, diagnosis.schema_needed);
    match present {
        0 => ok("schema", "none").fail("`keyward init` makes it"),
        _ if present < needed => {
            let found = ok("schema", format!("version {present}, not {needed}"));
            found.fail("`keyward init` brings it up to date")
        }
        _ if present > needed => ok(
            "schema",
            format!("version {present}, newer than this program, which needs {needed}"),
        ),
        _ => ok("schema", format!("version {present}")),
    }
}

fn triggers(diagnosis: &Diagnosis) -> Vec<Finding> {
    let all = &diagnosis.triggers;
    let bad = all.iter().filter(|trigger| trigger.fires != Fires::Always);
    let mut findings: Vec<Finding> = bad
        .map(|trigger| {
            let (table, name) = (&trigger.table, &trigger.name);
            let found = |how| ok("triggers", format!("{name} on keyward.{table} {how}"));
            let again = format!(
                "revoked keys live on in caches; ALTER TABLE keyward.{table} ENABLE ALWAYS TRIGGER \
                 {name}, then restart the nodes"
            );
            match trigger.fires {
                Fires::Missing => found("is missing").fail(
                    "revoked keys live on in caches; make it again as the migrations do, then \
                     restart the nodes",
                ),
                Fires::Never => found("is disabled").fail(again),
                _ => found("does not fire in every session").fail(again),
            }
        })
        .collect();
    if findings.is_empty() && !all.is_empty() {
        findings.push(ok("triggers", format!("all {} fire always", all.len())));
    }
    findings
}

fn clock(diagnosis: &Diagnosis) -> Finding {
    let clock = diagnosis.clock;
    let surely = clock.difference.saturating_sub(clock.uncertainty);
    if clock.difference <= clock.uncertainty {
        let to = rough(clock.uncertainty);
        return ok("clock", format!("as this machine's, to {to}"));
    }
    let side = if clock.server_is_ahead {
        "ahead of"
    } else {
        "behind"
    };
    let found = format!("{} {side} this machine's", rough(clock.difference));
    let found = ok("clock", found);
    if surely > CLOCKS_APART {
        return found.warn(
            "expiry goes by the server's clock, and what is issued by the nodes'; have both follow NTP",
        );
    }
    found
}

const CLOCKS_APART: Duration = Duration::from_secs(1);

fn pool(diagnosis: &Diagnosis) -> Finding {
    match diagnosis.pool {
        Way::Direct => ok("pooler", "none in between, or one server for each session"),
        Way::Pooled => ok("pooler", "hands out servers by transaction; prepared statements go along"),
        _ => ok("pooler", "hands out servers by transaction, and leaves prepared statements behind").fail(
            "one request may get another's rows; it takes PgBouncer 1.21 with max_prepared_statements \
             above 0, or pool_mode = session",
        ),
    }
}

fn direct(diagnosis: &Diagnosis) -> Finding {
    match &diagnosis.direct {
        Ok(Way::Direct) => ok("news", "come over a connection of their own"),
        Ok(_) => ok("news", "would come through the pooler").fail(
            "give the service a direct address (PostgresStore::direct), and this program \
             KEYWARD_DIRECT_URL",
        ),
        Err(error) => ok("news", cause(error)).fail("the direct address must lead to the database"),
    }
}

fn notifications(diagnosis: &Diagnosis) -> Finding {
    match &diagnosis.notification {
        Ok(took) if *took < SLOW => ok("hints", format!("a notification takes {}", rough(*took))),
        Ok(took) => ok("hints", format!("a notification takes {}", rough(*took)))
            .warn("other nodes heed a revocation that much later; look at the server's load"),
        Err(error) => ok("hints", cause(error)).warn(
            "nodes hear of changes at their next poll only, a second later; LISTEN and NOTIFY must \
             work",
        ),
    }
}

const SLOW: Duration = Duration::from_millis(250);

fn log(log: &LogFacts) -> Finding {
    let found = match log.number {
        0 => "no change yet".to_owned(),
        number => format!(
            "{number} changes, the last {} ago, kept since {} ago",
            rough(log.age),
            rough(log.oldest)
        ),
    };
    let found = ok("log", found);
    // The last change is kept, however old it is.
    if log.kept > 1 && log.oldest > OLD_LOG {
        return found.warn(
            "changes older than a day should be gone: nodes cut the log every hour, so none runs, or \
             it may not",
        );
    }
    found
}

const OLD_LOG: Duration = Duration::from_secs(36 * 3600);

fn nodes(diagnosis: &Diagnosis) -> Vec<Finding> {
    let Some(log) = &diagnosis.log else {
        return Vec::new();
    };
    if diagnosis.nodes.is_empty() {
        return vec![ok("nodes", "none is running")];
    }
    diagnosis
        .nodes
        .iter()
        .map(|facts| node(facts, log))
        .collect()
}

fn node(node: &NodeFacts, log: &LogFacts) -> Finding {
    let lease = rough(node.lease);
    let found = format!(
        "{}, heard of {} ago, lease {lease}",
        node.name,
        rough(node.seen)
    );
    if node.seen > node.lease {
        return ok("node", found).warn(
            "it was killed or is cut off, and believes nothing any more; the next receipt strikes it \
             off the register",
        );
    }
    match node.behind {
        None | Some(0) => ok("node", found),
        // Told of with the next beat.
        Some(_) if log.age < node.lease => ok("node", found),
        Some(behind) => ok("node", format!("{found}, {behind} changes behind"))
            .warn("it polls too slowly, or not at all; look at its log"),
    }
}

fn standbys(diagnosis: &Diagnosis) -> Vec<Finding> {
    if diagnosis.standbys.is_empty() {
        return vec![ok("standbys", "none that this role may see")];
    }
    let mut findings: Vec<Finding> = diagnosis.standbys.iter().map(standby).collect();
    let synchronous = |facts: &StandbyFacts| matches!(&*facts.sync, "sync" | "quorum");
    if !diagnosis.standbys.iter().any(synchronous) {
        findings.push(ok("standbys", "none is synchronous").warn(
            "a failover may lose a revocation that was acknowledged; where it is automatic, set \
             synchronous_standby_names",
        ));
    }
    findings
}

fn standby(facts: &StandbyFacts) -> Finding {
    let lag = facts.lag.unwrap_or_default();
    let found = format!(
        "{}, {}, {}, {} behind",
        facts.name,
        facts.state,
        facts.sync,
        rough(lag)
    );
    let found = ok("standby", found);
    if lag > LAGGING {
        return found
            .warn("what it answers is too old to be believed, and the primary is asked again");
    }
    found
}

const LAGGING: Duration = Duration::from_secs(5);

/// What lies behind an error of the store.
fn cause(error: &keyward::StoreError) -> String {
    let error: &dyn std::error::Error = error;
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_hides_no_failure() {
        for (version, standby, fsync, severity) in [
            ("17.2 (Debian 17.2-1)", false, true, Severity::Ok),
            ("13.0", false, false, Severity::Warn),
            ("12.22", false, true, Severity::Fail),
            ("12.22", false, false, Severity::Fail),
            ("17.2", true, false, Severity::Fail),
        ] {
            let finding = server(version, standby, fsync);
            assert!(finding.severity == severity, "{version} {}", finding.found);
        }
    }
}
