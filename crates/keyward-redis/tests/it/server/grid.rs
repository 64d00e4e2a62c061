//! A generated grid in real time: nodes, limits, windows, loads.

use std::time::Duration;

use keyward_limits::SharedLimits;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::support::{Nodes, shared};

/// A request: it was judged between these two moments, in microseconds after the start.
#[derive(Clone, Copy)]
struct Asked {
    sent: u64,
    answered: u64,
    passed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    nodes: usize,
    requests: u64,
    window: Duration,
    /// So many times as many requests come as may pass.
    load: f64,
}

impl Cell {
    /// Sends requests evenly to all nodes in turn, over four windows.
    async fn run(self, nodes: &Nodes) -> Vec<Asked> {
        let name = format!("{self:?}");
        let limit = shared(&name, self.requests, self.window);
        let gap = self.window.div_f64(self.requests as f64 * self.load);
        let start = Instant::now();
        let micros = move || u64::try_from(start.elapsed().as_micros()).unwrap();
        let mut tasks = JoinSet::new();
        for n in 0_u32.. {
            let due = gap * n;
            if due >= 4 * self.window {
                break;
            }
            sleep_until(start + due).await;
            let node = nodes.all()[n as usize % self.nodes].clone();
            let limit = limit.clone();
            tasks.spawn(async move {
                let sent = micros();
                let taken = node.take(std::slice::from_ref(&limit)).await.unwrap();
                Asked {
                    sent,
                    answered: micros(),
                    passed: taken.passed,
                }
            });
        }
        let mut asked = tasks.join_all().await;
        asked.sort_by_key(|one| one.sent);
        asked
    }

    fn judge(self, asked: &[Asked]) {
        let window = u64::try_from(self.window.as_micros()).unwrap();
        let interval = window.div_ceil(self.requests);
        let passed: Vec<Asked> = asked.iter().copied().filter(|one| one.passed).collect();
        let first = asked.first().unwrap().sent;
        let last = asked.iter().map(|one| one.answered).max().unwrap();

        // Whatever was surely judged within one window: at most 2N - 1, each at its earliest to its latest.
        for start in &passed {
            let within = passed
                .iter()
                .filter(|one| one.sent >= start.sent && one.answered < start.sent + window);
            let most = usize::try_from(2 * self.requests - 1).unwrap();
            assert!(within.count() <= most, "{self:?}");
        }
        let most = self.requests + (last - first).div_ceil(interval);
        assert!(passed.len() as u64 <= most, "{self:?}: {}", passed.len());

        // Nobody was refused for nothing: since some request, N more passed than the time since allows.
        for refused in asked.iter().filter(|one| !one.passed) {
            let justified = passed.iter().any(|since| {
                let before = passed
                    .iter()
                    .filter(|one| one.answered >= since.sent && one.sent <= refused.answered);
                let elapsed = refused.sent.saturating_sub(since.answered);
                before.count() as u64 * interval > (self.requests - 1) * interval + elapsed
            });
            assert!(justified, "{self:?}");
        }
        // And the grid is one of full loads and light ones.
        let refused = asked.len() - passed.len();
        if self.load > 2.0 {
            assert!(refused > 0, "{self:?}");
        }
        assert!(
            passed.len() as u64 >= self.requests.min(asked.len() as u64),
            "{self:?}"
        );
    }
}

/// At most 2N - 1 in any window, never fewer than N at once, and no refusal without cause; however many
/// nodes there are, and however many requests come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accepted_count_is_within_its_bounds() {
    let nodes = std::sync::Arc::new(Nodes::start(3));
    for window in [100, 300, 1_000].map(Duration::from_millis) {
        let mut cells = JoinSet::new();
        for number in 1..=3 {
            for requests in [1, 3, 10] {
                for load in [0.5, 1.0, 4.0] {
                    let cell = Cell {
                        nodes: number,
                        requests,
                        window,
                        load,
                    };
                    let nodes = nodes.clone();
                    cells.spawn(async move { (cell, cell.run(&nodes).await) });
                }
            }
        }
        for (cell, asked) in cells.join_all().await {
            cell.judge(&asked);
        }
    }
}
