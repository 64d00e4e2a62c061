use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Error, Result};

/// A row of the system's table of processes.
#[derive(Debug)]
struct Process {
    id: u32,
    parent: u32,
    /// Dead, but nobody has asked how it ended.
    zombie: bool,
}

/// The descendants of a process, which itself is not among them.
pub(crate) fn descendants(ancestor: u32) -> Result<Vec<u32>> {
    let all = all()?;
    let mut family = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        let children = all.iter().filter(|process| process.parent == parent);
        family.extend(children.map(|process| process.id));
        next += 1;
    }
    family.remove(0);
    Ok(family)
}

/// Sends a signal, named without `SIG`. A process that is gone already needs none.
///
/// # Errors
///
/// When there is no shell to send it with.
pub fn signal(name: &str, processes: &[u32]) -> Result<()> {
    Command::new("sh")
        .args(["-c", r#"kill -s "$0" "$@""#, name])
        .args(processes.iter().map(u32::to_string))
        .stderr(Stdio::null())
        .status()
        .map_err(Error::because("cannot run sh"))?;
    Ok(())
}

/// Waits until none of the processes runs any more.
pub(crate) fn gone(processes: &[u32]) -> Result<()> {
    for _ in 0..1_000 {
        let all = all()?;
        let runs = |id: &u32| all.iter().any(|row| row.id == *id && !row.zombie);
        if !processes.iter().any(runs) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(Error::new("killed processes still run after ten seconds"))
}

fn all() -> Result<Vec<Process>> {
    match fs::read_dir("/proc/self") {
        Ok(_) => from_proc().map_err(Error::because("cannot read /proc")),
        Err(_) => from_ps().map_err(Error::because("cannot run ps")),
    }
}

fn from_proc() -> io::Result<Vec<Process>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        // Those that end meanwhile are left out, as are the entries that are no processes.
        if let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) {
            all.extend(row_of_proc(&stat));
        }
    }
    Ok(all)
}

/// Reads `12 (name) S 1 …`, where the name may hold anything.
fn row_of_proc(stat: &str) -> Option<Process> {
    let (id, rest) = stat.split_once(" (")?;
    let mut rest = rest.rsplit_once(") ")?.1.split(' ');
    let state = rest.next()?;
    Some(Process {
        id: id.parse().ok()?,
        parent: rest.next()?.parse().ok()?,
        zombie: matches!(state, "Z" | "X"),
    })
}

fn from_ps() -> io::Result<Vec<Process>> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,state="])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(row_of_ps).collect())
}

fn row_of_ps(line: &str) -> Option<Process> {
    let mut words = line.split_whitespace();
    Some(Process {
        id: words.next()?.parse().ok()?,
        parent: words.next()?.parse().ok()?,
        zombie: words.next()?.starts_with('Z'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_whose_name_holds_a_parenthesis_is_read() {
        let row = row_of_proc("12 (a) Z 3) S 7 12 12 0").unwrap();
        assert_eq!((row.id, row.parent, row.zombie), (12, 7, false));
        assert!(row_of_proc("12 (a) Z 7 12").unwrap().zombie);
    }

    #[test]
    fn a_line_of_ps_is_read() {
        let row = row_of_ps("  12     7 Ss").unwrap();
        assert_eq!((row.id, row.parent, row.zombie), (12, 7, false));
    }

    #[test]
    fn a_grandchild_is_a_descendant_until_it_is_killed() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 60 & wait"])
            .spawn()
            .unwrap();
        let mut family = Vec::new();
        while family.is_empty() {
            family = descendants(child.id()).unwrap();
        }
        signal("KILL", &family).unwrap();
        gone(&family).unwrap();
        assert!(child.wait().unwrap().code().is_some());
    }
}
