//! Where a document begins, or is to be written, once the network has been asked what its name leaves open.

use super::carrier::Carrier;
use super::name::{Site, Sought, Wish};
use super::newest;
use crate::daemon::job::{FailureKind, JobFailure};
use crate::daemon::jobs::book::Book;
use crate::document::fetch::Start;
use crate::document::period::Period;
use crate::document::signed::{Reader, Writer};
use crate::key::uri::Uri;

/// The right to write what is wished; of a site, the edition after the newest that is found.
pub(super) async fn writer(carrier: &Carrier, wish: Wish, book: Option<&Book>) -> Result<Option<Writer>, JobFailure> {
    let (subspace, site) = match wish {
        Wish::Content => return Ok(None),
        Wish::Name(writer) => return Ok(Some(writer)),
        Wish::Edition { subspace, site } => (subspace, site),
    };
    if let Some(edition) = book.and_then(|book| book.kept().edition) {
        return Ok(Some(Writer::Edition { subspace, site, edition }));
    }
    let known = Site { subspace: subspace.public(), site, known: 0 };
    let newest = newest::edition(carrier, &known, true).await?;
    let edition = match newest {
        None => 0,
        Some(newest) => newest.checked_add(1).ok_or_else(after_the_last)?,
    };
    if let Some(book) = book {
        book.amend(|kept| kept.edition = Some(edition))?;
    }
    Ok(Some(Writer::Edition { subspace, site: known.site, edition }))
}

/// Where what is sought begins; where it had to be searched for, what was found.
pub(super) async fn located(
    carrier: &Carrier,
    sought: Sought,
    own_store: bool,
) -> Result<(Start, Option<Uri>), JobFailure> {
    match sought {
        Sought::At(start) => Ok((start, None)),
        Sought::Newest(site) => {
            let edition = newest::edition(carrier, &site, own_store).await?.ok_or_else(no_edition)?;
            let Site { subspace, site, .. } = site;
            let start = Start::Signed(Reader::of_edition(subspace.duplicate(), &site, edition));
            Ok((start, Some(Uri::Usk { subspace, site, edition })))
        }
        Sought::Dated { subspace, name, periods } => {
            let found = newest::period(carrier, &subspace, &name, &periods, own_store).await?;
            let (_, name) = found.ok_or_else(|| no_period(&periods))?;
            let start = Start::Signed(Reader::of_name(subspace.duplicate(), &name));
            Ok((start, Some(Uri::Ssk { subspace, name })))
        }
    }
}

pub(super) fn no_edition() -> JobFailure {
    not_found("no edition of this site was found".to_owned())
}

fn no_period(periods: &[Period]) -> JobFailure {
    not_found(match periods {
        [] => "nothing can be published for that time".to_owned(),
        [one] => format!("nothing was found that is published for {one}"),
        [newest, .., oldest] => format!("nothing was found that is published from {oldest} to {newest}"),
    })
}

fn after_the_last() -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence: "there is no edition after the last".to_owned() }
}

const fn not_found(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::NotFound, sentence }
}
