//! Looks for the newest edition of a site, and for the newest period that a name is published for: several at once.
//!
//! What is found is verified by its signature on the way. Leaves out the order of the search, which is `document`'s, and
//! fetching what was found.

use tokio::task::JoinSet;

use super::carrier::{Carrier, Sought};
use super::name::Site;
use crate::daemon::job::{FailureKind, JobFailure};
use crate::document::editions::Search;
use crate::document::period::Period;
use crate::document::signed::Reader;
use crate::key::RoutingKey;
use crate::key::uri::{Edition, Name};
use crate::limits::EDITIONS_ASKED;
use crypto::signed::SubspaceReader;

/// The newest edition of a site.
///
/// # Errors
/// When no node can be asked.
pub(super) async fn edition(carrier: &Carrier, site: &Site, own_store: bool) -> Result<Option<Edition>, JobFailure> {
    let mut search = Search::from(site.known);
    loop {
        let round = search.round();
        if round.is_empty() {
            return Ok(search.newest());
        }
        let place = |edition| Reader::of_edition(site.subspace.duplicate(), &site.site, edition).routing_key();
        let asked = round.into_iter().map(|edition| (edition, place(edition)));
        for (edition, is_there) in ask(carrier, asked, own_store).await? {
            search.answered(edition, is_there);
        }
    }
}

/// The first of `periods` that `name` is published for, and the name it has then.
///
/// # Errors
/// When no node can be asked.
pub(super) async fn period(
    carrier: &Carrier,
    subspace: &SubspaceReader,
    name: &Name,
    periods: &[Period],
    own_store: bool,
) -> Result<Option<(Period, Name)>, JobFailure> {
    // Most often it is the present one or the one before.
    let (first, later) = periods.split_at(periods.len().min(FIRST_PERIODS));
    for round in std::iter::once(first).chain(later.chunks(EDITIONS_ASKED)) {
        let names = round.iter().filter_map(|period| Some((*period, period.name(name).ok()?)));
        let place = |name: &Name| Reader::of_name(subspace.duplicate(), name).routing_key();
        let asked = names.map(|(period, name)| (period, place(&name)));
        let answers = ask(carrier, asked, own_store).await?;
        let newest = answers.into_iter().filter(|(_, is_there)| *is_there).max_by_key(|(period, _)| period.begins());
        if let Some((period, _)) = newest {
            return Ok(period.name(name).ok().map(|name| (period, name)));
        }
    }
    Ok(None)
}

/// Whether something stands at each place.
async fn ask<T: Send + 'static>(
    carrier: &Carrier,
    places: impl Iterator<Item = (T, RoutingKey)>,
    own_store: bool,
) -> Result<Vec<(T, bool)>, JobFailure> {
    let mut asked = JoinSet::new();
    for (what, place) in places {
        let carrier = carrier.clone();
        asked.spawn(async move { (what, carrier.fetch(place, own_store).await) });
    }
    let mut answers = Vec::new();
    while let Some(answer) = asked.join_next().await {
        let (what, sought) = answer.map_err(|error| failed(format!("the search broke off: {error}")))?;
        let is_there = match sought {
            Ok(Sought::Found { .. }) => true,
            Ok(Sought::Missing) => false,
            Ok(Sought::Nobody) => return Err(super::fetch::nobody()),
            Err(_) => return Err(super::fetch::stopping()),
        };
        answers.push((what, is_there));
    }
    Ok(answers)
}

const fn failed(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence }
}

/// Periods that are asked first. Chosen: the next one, where it begins in a moment, the present one and the one before.
const FIRST_PERIODS: usize = 3;
