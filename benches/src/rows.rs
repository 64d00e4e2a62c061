//! Figures into the rows of the report.

use serde::Serialize;

use crate::Result;
use crate::baselines::name;
use crate::guarded::name as guarded;
use crate::harness::Field;

/// One row: also one object of `report.json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// The heading it stands under, for people only.
    #[serde(skip)]
    pub(crate) section: &'static str,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) ratio_to: String,
    pub(crate) ratio: f64,
}

/// Where the rows stand that compare with a budget.
pub(crate) const BUDGETS: &str = "Budgets";

impl Row {
    /// A figure against its budget: a ratio above 1 is over it.
    pub(crate) fn budget(name: &str, budget: f64, min: f64, median: f64) -> Self {
        Self {
            section: BUDGETS,
            name: format!("budget: {name}"),
            unit: "ns",
            min,
            median,
            ratio_to: format!("budget of {budget} ns"),
            ratio: median / budget,
        }
    }
}

/// All rows of the contenders: what a request takes, what each middleware adds, what is budgeted.
pub(crate) fn table(field: &Field) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for bed in [BARE, ROUTER] {
        for name in field.names().filter(|name| name.starts_with(bed.prefix)) {
            rows.push(taken(field, name, bed)?);
        }
    }
    for name in field.names() {
        if !name.starts_with(BARE.prefix) && !name.starts_with(ROUTER.prefix) {
            rows.push(taken(field, name, APART)?);
        }
    }
    for bed in [BARE, ROUTER] {
        for name in field.names().filter(|name| name.starts_with(bed.prefix)) {
            // A refusal adds nothing: the service behind it is never called.
            let refused = name.contains(guarded::REFUSAL);
            if name != bed.whole() && name != bed.least() && !refused {
                rows.push(added(field, name, bed)?);
            }
        }
    }
    rows.extend(budgets(field)?);
    Ok(rows)
}

fn budgets(field: &Field) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (bed, what, budget) in [
        (BARE, "a hit added to a bare service", 175.0),
        (ROUTER, "a hit on a router against a no-op layer", 270.0),
    ] {
        let added = added(field, &format!("{}{}", bed.prefix, guarded::HIT), bed)?;
        rows.push(Row::budget(what, budget, added.min, added.median));
    }
    rows.push(limited(field)?);
    let refusals = field
        .names()
        .filter(|name| name.starts_with(&format!("{}{}", BARE.prefix, guarded::REFUSAL)));
    let mut slowest: Option<Row> = None;
    for name in refusals {
        let row = taken(field, name, BARE)?;
        if slowest
            .as_ref()
            .is_none_or(|slowest| slowest.median < row.median)
        {
            slowest = Some(row);
        }
    }
    let slowest = slowest.ok_or("nothing was refused")?;
    rows.push(Row::budget(
        "the slowest refusal",
        1_000.0,
        slowest.min,
        slowest.median,
    ));
    Ok(rows)
}

/// What one local limit adds to a hit.
fn limited(field: &Field) -> Result<Row> {
    let of = |name| field.of(&format!("{}{name}", BARE.prefix));
    let (limited, hit) = (of(guarded::LIMITED)?, of(guarded::HIT)?);
    let added = median(paired(limited, hit, |limited, hit| limited - hit));
    let what = "one local limit added to a hit";
    Ok(Row::budget(what, 40.0, min(limited) - min(hit), added))
}

/// What its contenders are compared with.
#[derive(Debug, Clone, Copy)]
struct Bed {
    section: &'static str,
    prefix: &'static str,
    least: &'static str,
}

const BARE: Bed = Bed {
    section: "On a bare tower service",
    prefix: "bare: ",
    least: name::SERVICE,
};
const APART: Bed = Bed {
    section: "Without HTTP",
    ..BARE
};
/// Any layer on a router costs a box, whatever the layer does: the no-op layer pays for it.
const ROUTER: Bed = Bed {
    section: "On an axum `Router` with one route",
    prefix: "router: ",
    least: name::NO_OP,
};

impl Bed {
    fn whole(self) -> String {
        format!("{}{}", self.prefix, name::SERVICE)
    }

    fn least(self) -> String {
        format!("{}{}", self.prefix, self.least)
    }

    fn extension(self) -> String {
        format!("{}{}", self.prefix, name::EXTENSION)
    }
}

/// What a request takes, against the service without any middleware.
fn taken(field: &Field, name: &str, bed: Bed) -> Result<Row> {
    let figures = field.of(name)?;
    let reference = bed.whole();
    let ratios = paired(figures, field.of(&reference)?, |figure, reference| {
        figure / reference
    });
    Ok(Row {
        section: bed.section,
        name: name.to_owned(),
        unit: "ns/request",
        min: min(figures),
        median: median(figures.to_vec()),
        ratio_to: reference,
        ratio: median(ratios),
    })
}

/// What the middleware alone adds, as a multiple of what handing over an extension adds.
fn added(field: &Field, name: &str, bed: Bed) -> Result<Row> {
    let (least, extension) = (field.of(&bed.least())?, field.of(&bed.extension())?);
    let figures = field.of(name)?;
    let difference = |figure: f64, least: f64| figure - least;
    let median_added = median(paired(figures, least, difference));
    Ok(Row {
        section: "What each layer adds",
        name: format!(
            "added to {}: {}",
            bed.least(),
            name.trim_start_matches(bed.prefix)
        ),
        unit: "ns/request",
        min: min(figures) - min(least),
        median: median_added,
        ratio_to: format!("added to {}: {}", bed.least(), name::EXTENSION),
        ratio: median_added / median(paired(extension, least, difference)),
    })
}

pub(crate) fn paired(figures: &[f64], others: &[f64], with: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    figures
        .iter()
        .zip(others)
        .map(|(&figure, &other)| with(figure, other))
        .collect()
}

pub(crate) fn min(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[n / 2],
        n => f64::midpoint(figures[n / 2 - 1], figures[n / 2]),
    }
}

/// `1,000,000`
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn numbers_have_groups_of_three() {
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(thousands(50), "50");
    }

    #[test]
    fn figures_are_compared_within_their_round() {
        // The machine slows down fivefold half-way: the ratio stays.
        let ratios = paired(
            &[20.0, 20.0, 100.0, 100.0],
            &[10.0, 10.0, 50.0, 50.0],
            |a, b| a / b,
        );
        assert_eq!(median(ratios), 2.0);
    }
}
