//! What a client wrote as a name, turned into what it names: a wish to write, or a document to read.
//!
//! Nothing here asks the network: which edition comes next, and which period is published, is `newest`'s.

use std::sync::Arc;

use crypto::keyword;
use crypto::reader::ReaderKey;
use crypto::signed::{Subspace, SubspaceReader};
use tokio::task;

use crate::daemon::data_dir::DataDir;
use crate::daemon::job::{FailureKind, FetchRequest, JobFailure};
use crate::daemon::keeper::Keeper;
use crate::daemon::subspaces::{SubspaceError, Subspaces};
use crate::document::fetch::Start;
use crate::document::period::{Calendar, Period, SKEW};
use crate::document::signed::{Reader, Writer};
use crate::key::uri::{Edition, Link, Name, SitePath, Uri, UriError};
use crate::limits::{PERIODS_BACK, PERIODS_BACK_MOST};

/// What a document is to be stored under.
pub(super) enum Wish {
    /// No name.
    Content,
    /// A name that is known.
    Name(Writer),
    /// The next edition of a site.
    Edition { subspace: Subspace, site: Name },
}

/// What is to be fetched.
pub(super) enum Sought {
    /// What begins there.
    At(Start),
    /// The newest edition of a site.
    Newest(Site),
    /// What is published for the first of these periods.
    Dated { subspace: SubspaceReader, name: Name, periods: Vec<Period> },
}

/// A site, and the edition of it that is known.
pub(super) struct Site {
    pub(super) subspace: SubspaceReader,
    pub(super) site: Name,
    pub(super) known: Edition,
}

/// The right to write under `text`: `chk` (or nothing) is no name, `ksk:WORD` a word, `ssk:NAME` a name in a subspace,
/// `usk:SITE` the next edition of a site, `date:NAME/PERIOD` a name for a period, given by its calendar (the present one)
/// or in full.
///
/// `ssk:SUBSPACE/NAME` says both, and so for the others. `ssk:NAME` means the document NAME in the subspace NAME if there
/// is one of that name, else in the subspace `default`.
pub(super) async fn wish(
    text: Option<&str>,
    unix_seconds: u64,
    data: DataDir,
    keeper: Arc<Keeper>,
) -> Result<Wish, JobFailure> {
    let text = text.unwrap_or("chk").to_owned();
    match text.split_once(':') {
        None if text == "chk" => Ok(Wish::Content),
        Some(("ksk", word)) => {
            let word = name(word)?;
            let subspace = of_word(&word).await?;
            Ok(Wish::Name(Writer::Word { word, subspace }))
        }
        Some(("ssk", path)) => {
            let (subspace, name) = in_subspace(path, data, keeper).await?;
            Ok(Wish::Name(Writer::Name { subspace, name }))
        }
        Some(("usk", path)) => {
            let (subspace, site) = in_subspace(path, data, keeper).await?;
            Ok(Wish::Edition { subspace, site })
        }
        Some(("date", path)) => {
            let (path, period) = path.rsplit_once('/').ok_or_else(|| {
                bad(format!("\"{path}\" names no period: write date:NAME/day or date:NAME/2026-11-22"))
            })?;
            let period = period_of(period, unix_seconds)?;
            let (subspace, name) = in_subspace(path, data, keeper).await?;
            let name = period.name(&name).map_err(|error| bad(error.to_string()))?;
            Ok(Wish::Name(Writer::Name { subspace, name }))
        }
        _ => Err(bad(format!(
            "\"{text}\" is no kind of name: write chk, ksk:WORD, ssk:NAME, usk:SITE or date:NAME/PERIOD"
        ))),
    }
}

/// Where the document of a request begins, or among what it is to be looked for.
pub(super) async fn sought(
    request: &FetchRequest,
    unix_seconds: u64,
) -> Result<(Sought, Option<SitePath>), JobFailure> {
    let Link { uri, path } = request.uri.parse().map_err(|error: UriError| bad(error.to_string()))?;
    if let Some(dated) = &request.dated {
        let Uri::Ssk { subspace, name } = uri else {
            return Err(bad("only a name in a subspace (SSK@) is published for dates".to_owned()));
        };
        let calendar: Calendar = dated.calendar.parse().map_err(no_period)?;
        let back = dated.back.unwrap_or(PERIODS_BACK);
        if back > PERIODS_BACK_MOST {
            return Err(bad(format!("at most {PERIODS_BACK_MOST} earlier periods are tried, not {back}")));
        }
        let at = match &dated.on {
            None => unix_seconds,
            Some(text) => within(text.parse().map_err(no_period)?, calendar, unix_seconds)?,
        };
        let periods = Period::candidates(calendar, at, usize::from(back));
        // Only the present may be a moment ahead of us.
        let periods = periods.filter(|period| dated.on.is_none() || period.begins() <= at).collect();
        return Ok((Sought::Dated { subspace, name, periods }, path));
    }
    let sought = match uri {
        Uri::Chk { routing, root } => Sought::At(Start::Content { routing, root }),
        Uri::Ssk { subspace, name } => Sought::At(Start::Signed(Reader::of_name(subspace, &name))),
        Uri::Ksk { word } => Sought::At(Start::Signed(Reader::of_word(&of_word(&word).await?))),
        Uri::Usk { subspace, site, edition } if request.exact => {
            Sought::At(Start::Signed(Reader::of_edition(subspace, &site, edition)))
        }
        Uri::Usk { subspace, site, edition } => Sought::Newest(Site { subspace, site, known: edition }),
    };
    Ok((sought, path))
}

/// The site that a URI names an edition of, or that `usk:SITE` stands for, as in [`wish`].
pub(super) async fn site(text: &str, data: DataDir, keeper: Arc<Keeper>) -> Result<Site, JobFailure> {
    if let Some(path) = text.strip_prefix("usk:") {
        let (subspace, site) = in_subspace(path, data, keeper).await?;
        return Ok(Site { subspace: subspace.public(), site, known: 0 });
    }
    match text.parse::<Uri>().map_err(|error| bad(error.to_string()))? {
        Uri::Usk { subspace, site, edition } => Ok(Site { subspace, site, known: edition }),
        _ => Err(bad("only a site (USK@) has editions".to_owned())),
    }
}

/// The reader keys of this node's owner.
pub(super) async fn readers(data: DataDir, keeper: Arc<Keeper>) -> Result<Vec<ReaderKey>, JobFailure> {
    let all = move || {
        let subspaces = Subspaces::new(&data, &keeper);
        let names = Subspaces::names_in(&data)?;
        names.iter().map(|name| subspaces.reader(name)).collect::<Result<Vec<_>, _>>()
    };
    blocking(all).await?.map_err(|error| no_subspace(&error))
}

/// A period to publish for: the present one of a calendar, or one that has begun.
fn period_of(text: &str, unix_seconds: u64) -> Result<Period, JobFailure> {
    if let Ok(calendar) = text.parse::<Calendar>() {
        return Ok(calendar.at(unix_seconds));
    }
    has_begun(text.parse().map_err(no_period)?, unix_seconds)
}

/// An instant in the `calendar` period that `on` lies in, or begins with.
fn within(on: Period, calendar: Calendar, unix_seconds: u64) -> Result<u64, JobFailure> {
    let on = has_begun(on, unix_seconds)?;
    // Of a longer period its end is meant, as far as it has come: the newest that was published in it.
    let end = on.next().map_or(unix_seconds, |next| next.begins() - 1);
    Ok(if on.calendar() == calendar { on.begins() } else { end.min(unix_seconds) })
}

fn has_begun(period: Period, unix_seconds: u64) -> Result<Period, JobFailure> {
    if period.begins() <= unix_seconds + SKEW.as_secs() {
        return Ok(period);
    }
    Err(bad(format!("{period} has not begun")))
}

async fn in_subspace(path: &str, data: DataDir, keeper: Arc<Keeper>) -> Result<(Subspace, Name), JobFailure> {
    let path = path.to_owned();
    let found = move || {
        let subspaces = Subspaces::new(&data, &keeper);
        let (subspace, document) = match path.split_once('/') {
            Some((subspace, document)) => (subspaces.get(subspace).map_err(|error| no_subspace(&error))?, document),
            None => {
                let own = subspaces.get(&path).or_else(|_| subspaces.get(DEFAULT));
                (own.map_err(|error| no_subspace(&error))?, path.as_str())
            }
        };
        Ok((subspace, name(document)?))
    };
    blocking(found).await?
}

/// Stretching a word is slow by design, so it happens where it holds up nobody.
async fn of_word(word: &Name) -> Result<Subspace, JobFailure> {
    let word = word.clone();
    blocking(move || keyword::subspace(word.as_str())).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JobFailure> {
    let done = task::spawn_blocking(work).await;
    done.map_err(|error| JobFailure { kind: FailureKind::Failed, sentence: format!("the work broke off: {error}") })
}

fn name(text: &str) -> Result<Name, JobFailure> {
    Name::new(text).map_err(|error| bad(error.to_string()))
}

fn no_subspace(error: &SubspaceError) -> JobFailure {
    let kind = if matches!(error, SubspaceError::Keeper(_)) { FailureKind::Failed } else { FailureKind::BadRequest };
    JobFailure { kind, sentence: error.to_string() }
}

fn no_period(error: crate::document::period::NoPeriod) -> JobFailure {
    bad(error.to_string())
}

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}

/// The subspace that `keys new` makes when no name is given.
const DEFAULT: &str = "default";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> u64 {
        day.parse::<Period>().expect("a day").begins()
    }

    #[test]
    fn periods_that_have_not_begun_are_refused_but_for_the_skew_of_clocks() {
        let now = at("2026-11-22");
        assert_eq!(period_of("day", now).map(|period| period.to_string()), Ok("2026-11-22".into()));
        assert_eq!(period_of("2026-W47", now).map(|period| period.to_string()), Ok("2026-W47".into()));
        assert!(period_of("2026-11-23", now).is_err());
        assert!(period_of("2026-11-22", now - 600).is_ok());
        assert!(period_of("2026-11-22", now - 601).is_err());
        assert!(period_of("tomorrow", now).is_err());
    }

    #[test]
    fn a_longer_period_stands_for_its_newest_part() {
        let now = at("2026-11-22");
        assert_eq!(within("2026-10".parse().expect("a month"), Calendar::Day, now), Ok(at("2026-11-01") - 1));
        assert_eq!(within("2026-11".parse().expect("a month"), Calendar::Day, now), Ok(now));
        assert_eq!(within("2026-11-03".parse().expect("a day"), Calendar::Day, now), Ok(at("2026-11-03")));
    }
}
