//! The service and the model, side by side.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use keyward_core::{Actor, Issued};
use keyward_store::{
    AuditAction, AuditQuery, KeyFilter, KeyId, KeyStore, ListQuery, Plaintext, Records,
};
use tokio::time::{Instant, sleep};

use super::super::service::{Node, SOON};
use super::bounds::{Holder, Keys, at_most_two};
use super::carry::{Outcome, actor, carry_out};
use super::cast::{Setting, Who, subjects};
use super::dice::Dice;
use super::operation::Operation;
use super::verdict::Secrets;
use super::world::{Line, No, World, micros};

pub(super) struct Course<S> {
    nodes: [Node<S>; 2],
    world: World,
    dice: Dice,
    secrets: Secrets,
    /// Whoever came earlier by a key.
    past: Vec<Actor>,
    /// What the store held after the last step.
    kept: Keys,
    /// What was tried last, and what came of it.
    trail: VecDeque<String>,
    tally: Tally,
}

/// How often each operation was done, and refused for which reason.
pub(super) type Tally = BTreeMap<String, BTreeMap<String, u32>>;

impl<S: Records + KeyStore> Course<S> {
    pub(super) async fn start(store: S, setting: Setting) -> Self {
        let node = Node::start_with(store, |setup| {
            setup
                .policy(setting.policy())
                .keys_per_tenant(Setting::KEYS_PER_TENANT)
                .keys_per_owner(Setting::KEYS_PER_OWNER)
        });
        let node = node.await;
        let other = node.another_with(|setup| {
            setup
                .policy(setting.policy())
                .keys_per_tenant(Setting::KEYS_PER_TENANT)
                .keys_per_owner(Setting::KEYS_PER_OWNER)
        });
        let other = other.await;
        Self {
            nodes: [node, other],
            world: World::new(setting),
            dice: Dice::new(setting.seed),
            secrets: Secrets::default(),
            past: Vec::new(),
            kept: Keys::new(),
            trail: VecDeque::new(),
            tally: BTreeMap::new(),
        }
    }

    /// Goes so many steps, and panics at the first that goes elsewhere than the model.
    pub(super) async fn go(mut self, steps: usize) -> Tally {
        for step in 0..steps {
            if let Err(what) = self.step(step).await {
                let seed = self.world.setting.seed;
                let mut trail = String::new();
                for line in &self.trail {
                    let _ = writeln!(trail, "  {line}");
                }
                panic!("seed {seed}, step {step}: {what}\nthe last operations:\n{trail}");
            }
        }
        self.tally
    }

    async fn step(&mut self, step: usize) -> Result<(), String> {
        let place = self.dice.below(2);
        let operation = self.world.choose(&mut self.dice, SystemTime::now());
        self.trail
            .push_back(format!("{step}: on {place}: {operation:?}"));
        if self.trail.len() > 12 {
            self.trail.pop_front();
        }
        let holder = match operation.who() {
            None => None,
            Some(who) => {
                let setting = &self.world.setting;
                Holder::of(who, setting, &self.kept, &self.nodes[0].store).await
            }
        };
        let from = micros(SystemTime::now());
        let (outcome, lines) = self.attempt(place, &operation).await?;
        if let (Some(trail), Err(no)) = (self.trail.back_mut(), &outcome) {
            let _ = write!(trail, " -> {no:?}");
        }
        // All that an operation does it does at one moment, which its lines tell.
        let moment = lines.first().map(|(at, _)| *at);
        let within = from..=SystemTime::now();
        if lines
            .iter()
            .any(|(at, _)| Some(*at) != moment || !within.contains(at))
        {
            return Err(format!("it is told of at {lines:?}, and was at {within:?}"));
        }
        let done = self.judge(&operation, moment.unwrap_or(from), outcome)?;
        self.compare_lines(lines.into_iter().map(|(_, line)| line).collect())?;

        let kept = self.kept().await;
        if let Some(holder) = &holder {
            holder.exceeds(&self.kept, &kept)?;
        }
        self.compare_keys(&kept)?;
        let changed = self.kept != kept || matches!(operation, Operation::Standing(..));
        self.kept = kept;
        if changed || step.is_multiple_of(16) {
            self.compare_standings().await?;
        }
        if let (true, Some(time)) = (done, operation.ends_soon()) {
            sleep(time + Duration::from_millis(3)).await;
        }
        if changed {
            self.compare_verdicts(place).await?;
        }
        Ok(())
    }

    /// Does it on that node, and gives the lines that it has left in the log, with their times.
    async fn attempt(
        &mut self,
        place: usize,
        operation: &Operation,
    ) -> Result<(Outcome, Vec<(SystemTime, Line)>), String> {
        loop {
            let strays = self.news().await;
            if !strays.is_empty() {
                return Err(format!(
                    "nobody knows where these lines come from: {strays:?}"
                ));
            }
            let heard = self.world.log.len();
            let node = &self.nodes[place];
            let who = operation.who();
            let secrets = &self.secrets.of;
            let secret = |id: &_| Plaintext::new(secrets[id].expose().to_owned());
            let acts = match who {
                None => None,
                Some(Who::Late(_, place)) => Some(self.past[*place].clone()),
                Some(who) => actor(node, who, secret).await,
            };
            if let (Some(Who::Key(id)), None) = (who, &acts) {
                return Err(format!("the node refuses {id}, by which someone would act"));
            }
            let outcome = carry_out(node, operation, acts.as_ref()).await;
            let lines = self.news().await;
            // A line about a use came while the log was read: once more.
            let is_read = matches!(operation, Operation::Audit(..));
            if !is_read || self.world.log.len() == heard {
                if let (Some(Who::Key(id)), Some(acts)) = (who, acts) {
                    self.remember(id, acts);
                }
                return Ok((outcome, lines));
            }
        }
    }

    /// Keeps the last that came by keys, each in one of so many places.
    fn remember(&mut self, id: &KeyId, actor: Actor) {
        let past = self.world.present(id);
        if self.past.len() < LATE {
            self.past.push(actor);
            self.world.past.push(past);
        } else {
            let place = self.dice.below(LATE);
            self.past[place] = actor;
            self.world.past[place] = past;
        }
    }

    /// Reads on in the log; gives the new lines but those that uses leave.
    async fn news(&mut self) -> Vec<(SystemTime, Line)> {
        let last = self.world.log.last().map_or(0, |entry| entry.position);
        let query = AuditQuery::default().after(last).limit(1_000);
        let news = self.nodes[0].store.audit(&query).await.unwrap();
        self.world.log.extend(news.iter().cloned());
        let news = news.into_iter().map(|entry| entry.record);
        let news = news.filter(|line| !Line::is_of_a_use(line.action));
        news.map(|line| (line.at, Line::of(&line))).collect()
    }

    /// Whether the answer is what the model says; does the same there. Gives whether it was done.
    fn judge(
        &mut self,
        operation: &Operation,
        at: SystemTime,
        outcome: Outcome,
    ) -> Result<bool, String> {
        let why = self.world.why_not(operation, at);
        let name = format!("{operation:?}");
        let name = name.split(['(', ' ']).next().unwrap_or_default();
        let tally = self.tally.entry(name.to_owned()).or_default();
        let answer = outcome.as_ref().err().map_or("done".to_owned(), No::code);
        *tally.entry(answer).or_default() += 1;
        match outcome {
            Ok((given, issued)) => {
                if !why.is_empty() {
                    return Err(format!("it was done in spite of {why:?}"));
                }
                let made = issued.as_ref().map(|issued| &issued.key);
                let due = self.world.done(operation, at, made);
                if let Some(Issued { key, secret, .. }) = issued {
                    self.secrets.of.insert(key.id, secret);
                }
                if due != given {
                    return Err(format!("it gives\n{given:?}\nand not\n{due:?}"));
                }
                Ok(true)
            }
            Err(no) => {
                if !why.contains(&no) {
                    return Err(format!(
                        "it is answered by {no:?}, for which it has {why:?}"
                    ));
                }
                self.tell(operation, &no, at);
                Ok(false)
            }
        }
    }

    /// What is refused to someone who would change something is told.
    fn tell(&mut self, operation: &Operation, no: &No, at: SystemTime) {
        let (No::NotFound | No::Refused(_)) = no else {
            return;
        };
        let person = operation.who().and_then(|who| self.world.person(who, at));
        let Some(person) = person.filter(|_| operation.changes()) else {
            return;
        };
        self.world.lines.push(Line {
            action: AuditAction::Refused,
            actor: Some(person.name),
            key: operation.key().cloned(),
            tenant: Some(person.tenant),
            owner: person.owner,
            subject: None,
            refusal: Some(no.code()),
        });
    }

    fn compare_lines(&mut self, told: Vec<Line>) -> Result<(), String> {
        // What was done at one moment is told in any order.
        let sorted = |mut lines: Vec<Line>| {
            lines.sort_by_key(|line| format!("{line:?}"));
            lines
        };
        let (due, told) = (sorted(std::mem::take(&mut self.world.lines)), sorted(told));
        if due == told {
            Ok(())
        } else {
            Err(format!("the log tells\n{told:?}\nand not\n{due:?}"))
        }
    }

    /// Every record in the store.
    async fn kept(&self) -> Keys {
        let query = ListQuery::new(KeyFilter::all()).limit(ListQuery::MAX_LIMIT);
        let page = self.nodes[0].store.list(&query).await.unwrap();
        assert_eq!(page.next, None, "so many keys cannot be compared");
        let keys = page.keys.into_iter().map(|key| key.record);
        keys.map(|key| (key.id.clone(), key)).collect()
    }

    fn compare_keys(&self, kept: &Keys) -> Result<(), String> {
        let due = &self.world.keys;
        if kept == due {
            return Ok(());
        }
        let ids = kept.keys().chain(due.keys());
        let differs = ids
            .clone()
            .find(|id| kept.get(*id) != due.get(*id))
            .unwrap();
        let (kept, due) = (kept.get(differs), due.get(differs));
        Err(format!("the store holds\n{kept:?}\nand not\n{due:?}"))
    }

    async fn compare_standings(&self) -> Result<(), String> {
        for subject in subjects() {
            let is = self.nodes[0].store.standing(&subject).await.unwrap();
            let due = self.world.standing(&subject);
            if is != due {
                return Err(format!("{subject:?} stands as {is:?} and not as {due:?}"));
            }
        }
        Ok(())
    }

    /// The node that made a change heeds it at once; the other one soon, or when everyone has confirmed
    /// that they do.
    async fn compare_verdicts(&mut self, place: usize) -> Result<(), String> {
        let (here, there) = (&self.nodes[place], &self.nodes[1 - place]);
        let accepted = self.secrets.accepted(&self.world, here).await?;
        at_most_two(&accepted, &self.kept)?;
        if self.dice.one_in(4) {
            let receipt = here.keys.confirm_everywhere().await;
            assert_eq!(receipt.nodes.len(), 2);
            self.secrets.accepted(&self.world, there).await?;
            return Ok(());
        }
        let start = Instant::now();
        while let Err(what) = self.secrets.accepted(&self.world, there).await {
            if start.elapsed() > SOON {
                return Err(format!("on the other node: {what}"));
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

/// How many requests take long.
const LATE: usize = 6;
