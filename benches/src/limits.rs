//! What a limit takes that nodes share: questions to a throwaway Redis.

use std::sync::Arc;
use std::time::Duration;

use keyward::Clock;
use keyward_limits::{SharedLimit, SharedLimits};
use keyward_redis::RedisLimits;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use redis_server::RedisServer;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::Result;
use crate::rows::{Row, median, min, paired};

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// By each contender in each round, over all tasks.
    pub(crate) questions: usize,
}

/// What was measured, and what a reader of it must know.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) note: String,
}

pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let server = RedisServer::start()?;
    let info = server.command(&["INFO", "server"])?;
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    let version = version.unwrap_or_default().trim();
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let rows = runtime.block_on(measure(&server, plan))?;
    let note =
        format!("Shared limits: over loopback, on a server that speaks for Redis {version}. {HOW}");
    Ok(Outcome { rows, note })
}

const HOW: &str = "Its contenders take turns; each figure is a rank over all questions of a round. \
A `PING` is the least that any question costs.";
const SECTION: &str = "Limits that nodes share";
const TASKS: [usize; 2] = [1, 64];
const PING: &str = "a PING";
const SHARES: [(&str, f64); 2] = [("p50", 0.50), ("p99", 0.99)];

async fn measure(server: &RedisServer, plan: &Plan) -> Result<Vec<Row>> {
    let limits = Arc::new(RedisLimits::connect(&server.url()).await?);
    let client = redis::Client::open(server.url())?;
    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&patient);
    let connection = connection.await?;
    let contenders = [
        (PING, Contender::Ping(connection)),
        ("one limit", Contender::Take(limits.clone(), 1)),
        ("three limits at once", Contender::Take(limits, 3)),
    ];

    // By contender, tasks and share: a figure for each round.
    let mut figures: Vec<Vec<f64>> = Vec::new();
    figures.resize_with(contenders.len() * TASKS.len() * SHARES.len(), Vec::new);
    // The first round only wakes everyone up.
    for round in 0..=plan.rounds {
        let mut place = 0;
        for tasks in TASKS {
            for (_, contender) in &contenders {
                let took = questions(contender, tasks, plan.questions).await?;
                for (_, share) in SHARES {
                    if round > 0 {
                        figures[place].push(rank(&took, share));
                    }
                    place += 1;
                }
            }
        }
    }

    let mut rows = Vec::new();
    let each_tasks = figures.chunks(contenders.len() * SHARES.len());
    for (tasks, figures) in TASKS.iter().zip(each_tasks) {
        for (n, (name, _)) in contenders.iter().enumerate() {
            for (m, (share, _)) in SHARES.iter().enumerate() {
                let (own, ping) = (&figures[n * SHARES.len() + m], &figures[m]);
                let plural = if *tasks == 1 { "" } else { "s" };
                rows.push(Row {
                    section: SECTION,
                    name: format!("{tasks} task{plural}: {name}: {share}"),
                    unit: "µs",
                    min: min(own),
                    median: median(own.clone()),
                    ratio_to: format!("{tasks} task{plural}: {PING}: {share}"),
                    ratio: median(paired(own, ping, |own, ping| own / ping)),
                });
            }
        }
    }
    Ok(rows)
}

#[derive(Clone)]
enum Contender {
    Ping(MultiplexedConnection),
    /// That many limits, for a hundred clients in turn, which reach none of them.
    Take(Arc<RedisLimits>, usize),
}

impl Contender {
    async fn ask(&mut self, n: usize) -> Result<()> {
        match self {
            Self::Ping(connection) => {
                let answer: String = redis::cmd("PING").query_async(connection).await?;
                (answer == "PONG").then_some(()).ok_or("no PONG")?;
            }
            Self::Take(limits, count) => {
                let asked: Vec<_> = (0..*count).map(|limit| wide(n % 100, limit)).collect();
                let taken = limits.take(&asked).await?;
                taken.passed.then_some(()).ok_or("a limit was reached")?;
            }
        }
        Ok(())
    }
}

fn wide(client: usize, limit: usize) -> SharedLimit {
    let name = format!("3:key:key:01890a5d-ac96-774b-bcce-{client:012}:{limit}");
    SharedLimit::new(name, 1, 3_600_000_000)
}

/// How long each question took, in microseconds, the quickest first.
async fn questions(contender: &Contender, tasks: usize, questions: usize) -> Result<Vec<f64>> {
    let mut running: JoinSet<Result<Vec<Duration>>> = JoinSet::new();
    for task in 0..tasks {
        let mut contender = contender.clone();
        running.spawn(async move {
            let clock = Clock::system();
            let mut took = Vec::new();
            for n in 0..questions / tasks {
                let start = clock.boot();
                contender.ask(task + n).await?;
                took.push(clock.boot().since(start));
            }
            Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(ended) = running.join_next().await {
        all.extend(ended??.iter().map(|took| took.as_secs_f64() * 1e6));
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

/// The duration that this share of all is no longer than.
fn rank(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}
