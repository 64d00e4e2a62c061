//! Who acts next.

use std::time::{Duration, SystemTime};

use keyward_store::{KeyRecord, Owner, Subject};

use super::cast::{MANAGE, OPERATORS, OWNERS, ROLES, SCOPES, TENANTS, Who, owner};
use super::dice::Dice;
use super::world::{World, allow, ends};

impl World {
    /// Somebody, of that tenant if one is named, and mostly that owner.
    pub(super) fn someone(
        &self,
        dice: &mut Dice,
        tenant: Option<&'static str>,
        whose: Option<&Owner>,
        at: SystemTime,
    ) -> Who {
        if dice.one_in(8)
            && let Some(barred) = self.someone_barred(dice)
        {
            return barred;
        }
        let tenant = tenant.unwrap_or_else(|| dice.any(&TENANTS));
        let whose = OWNERS.into_iter().find(|id| whose == Some(&owner(id)));
        let whose = if dice.one_in(3) { None } else { whose };
        match dice.below(10) {
            0..3 => Who::Operator(dice.any(&OPERATORS)),
            3..7 => Who::User {
                tenant,
                owner: whose.unwrap_or_else(|| dice.any(&OWNERS)),
                role: (!dice.one_in(12)).then(|| match dice.below(5) {
                    0..2 => "admin",
                    2 => "member",
                    _ => dice.any(&ROLES),
                }),
                bound: dice.one_in(5).then(|| dice.some(&SCOPES, 4)),
            },
            9 if !self.past.is_empty() && dice.one_in(2) => {
                let place = dice.below(self.past.len());
                Who::Late(self.past[place].key.id.clone(), place)
            }
            _ => self
                .any_bearer(dice, tenant, at)
                .unwrap_or(Who::Operator(None)),
        }
    }

    /// Somebody who could do much, but for their own standing or their tenant's.
    fn someone_barred(&self, dice: &mut Dice) -> Option<Who> {
        let is_barred = |subject: &Subject| {
            let standing = self.standing(subject);
            standing.suspended || !standing.entitled
        };
        let of = |id: &'static str| Subject::Owner(owner(id));
        let owners: Vec<_> = OWNERS.into_iter().filter(|id| is_barred(&of(id))).collect();
        let of = |id: &'static str| Subject::Tenant(id.into());
        let tenants = TENANTS.into_iter().filter(|id| is_barred(&of(id)));
        let tenants: Vec<_> = tenants.collect();
        if owners.is_empty() && tenants.is_empty() {
            return None;
        }
        let any = |dice: &mut Dice, barred: &[&'static str], all: &[&'static str]| {
            dice.any(if barred.is_empty() { all } else { barred })
        };
        Some(Who::User {
            tenant: any(dice, &tenants, &TENANTS),
            owner: any(dice, &owners, &OWNERS),
            role: Some("admin"),
            bound: None,
        })
    }

    /// The bearer of a good key, rather one that manages others.
    fn any_bearer(&self, dice: &mut Dice, tenant: &str, at: SystemTime) -> Option<Who> {
        let good = |key: &&KeyRecord| {
            // What ends within minutes could end while it is used.
            let soon = at + Duration::from_secs(600);
            self.bars(key, at).is_empty() && ends(key).is_none_or(|end| end > soon)
        };
        let good: Vec<_> = self.in_order().filter(good).collect();
        let of = |manages: bool| {
            let good = good.iter().filter(|key| key.tenant == *tenant);
            let good = good.filter(|key| allow(&self.fences(key), &MANAGE) == manages);
            good.map(|key| key.id.clone()).collect::<Vec<_>>()
        };
        let mut keys = of(!dice.one_in(12));
        if keys.is_empty() {
            keys = good.iter().map(|key| key.id.clone()).collect();
        }
        (!keys.is_empty()).then(|| Who::Key(dice.any(&keys)))
    }
}
