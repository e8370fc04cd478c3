//! Calendar periods under which a name is published: a day, an ISO week, a month or a year, in UTC (`protocol.md` §1).
//!
//! A name and a period are an ordinary name in a subspace, `NAME.PERIOD`, so only who holds the subspace's key can publish
//! for a period. Guarantees one spelling of each period. Leaves out what time it is.

use std::fmt;
use std::str::FromStr;

use ::time::{Date, Duration, Month, Weekday};

use crate::key::uri::{BadName, Name};
use crate::time::Duration as Span;

/// How time is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// Days, as in `2026-11-22`.
    Day,
    /// Weeks that begin on Monday and are numbered by ISO 8601, as in `2026-W47`.
    Week,
    /// Months, as in `2026-11`.
    Month,
    /// Years, as in `2026`.
    Year,
}

/// One day, week, month or year.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    calendar: Calendar,
    first: Date,
}

/// Text that is no calendar and no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no {1}")]
pub struct NoPeriod(String, &'static str);

impl Calendar {
    const ALL: [(&'static str, Self); 4] =
        [("day", Self::Day), ("week", Self::Week), ("month", Self::Month), ("year", Self::Year)];

    /// The period around an instant, given in seconds since 1970. Instants after the year 9999 count as its end.
    #[must_use]
    pub fn at(self, unix_seconds: u64) -> Period {
        let days = i64::try_from(unix_seconds / DAY_SECONDS).unwrap_or(i64::MAX);
        let date = EPOCH.checked_add(Duration::days(days.min(MOST_DAYS))).unwrap_or(LAST);
        self.around(date.min(LAST))
    }

    fn around(self, date: Date) -> Period {
        let first = match self {
            Self::Day => date,
            Self::Week => date - Duration::days(i64::from(date.weekday().number_days_from_monday())),
            Self::Month => date.replace_day(1).unwrap_or(date),
            Self::Year => date.replace_ordinal(1).unwrap_or(date),
        };
        Period { calendar: self, first }
    }
}

impl Period {
    /// How time is divided here.
    #[must_use]
    pub const fn calendar(self) -> Calendar {
        self.calendar
    }

    /// When it begins, in seconds since 1970; 0 if it began before.
    #[must_use]
    pub fn begins(self) -> u64 {
        u64::try_from((self.first - EPOCH).whole_seconds()).unwrap_or(0)
    }

    /// The one before; none before 1970.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        let before = self.first.previous_day().filter(|day| *day >= EPOCH)?;
        Some(self.calendar.around(before))
    }

    /// The one after; none after 9999.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let after = match self.calendar {
            Calendar::Day => self.first.next_day(),
            Calendar::Week => self.first.checked_add(Duration::weeks(1)),
            // From the first of a period, so many days lie in the next one.
            Calendar::Month => self.first.checked_add(Duration::days(31)),
            Calendar::Year => self.first.checked_add(Duration::days(366)),
        };
        Some(self.calendar.around(after.filter(|date| *date <= LAST)?))
    }

    /// The name under which `name` is published for this period.
    ///
    /// # Errors
    /// When it is too long.
    pub fn name(self, name: &Name) -> Result<Name, BadName> {
        Name::new(&format!("{}.{self}", name.as_str()))
    }

    /// The periods to look for at `unix_seconds`, the newest first: the next one if it begins within [`SKEW`], since the
    /// publisher's clock may be ahead; the current one; and `back` before it.
    pub fn candidates(calendar: Calendar, unix_seconds: u64, back: usize) -> impl Iterator<Item = Self> {
        let current = calendar.at(unix_seconds);
        let ahead = calendar.at(unix_seconds + SKEW.as_secs());
        let next = (ahead != current).then_some(ahead);
        next.into_iter().chain(std::iter::successors(Some(current), |period| period.previous()).take(back + 1))
    }
}

impl FromStr for Calendar {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let known = Self::ALL.into_iter().find(|(word, _)| *word == text).map(|(_, calendar)| calendar);
        known.ok_or_else(|| NoPeriod(text.to_owned(), "calendar: write day, week, month or year"))
    }
}

impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let period = parse(text).filter(|period| period.first >= FIRST && period.to_string() == text);
        period.ok_or_else(|| NoPeriod(text.to_owned(), "period: write 2026-11-22, 2026-W47, 2026-11 or 2026"))
    }
}

fn parse(text: &str) -> Option<Period> {
    let mut parts = text.split('-');
    let year: i32 = parts.next()?.parse().ok()?;
    let (second, third) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let month = |text: &str| text.parse::<u8>().ok().and_then(|number| Month::try_from(number).ok());
    let (calendar, date) = match (second, third) {
        (None, _) => (Calendar::Year, Date::from_ordinal_date(year, 1)),
        (Some(week), None) if week.starts_with('W') => {
            (Calendar::Week, Date::from_iso_week_date(year, week[1..].parse().ok()?, Weekday::Monday))
        }
        (Some(number), None) => (Calendar::Month, Date::from_calendar_date(year, month(number)?, 1)),
        (Some(number), Some(day)) => (Calendar::Day, Date::from_calendar_date(year, month(number)?, day.parse().ok()?)),
    };
    Some(calendar.around(date.ok()?))
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.first.to_calendar_date();
        let month = u8::from(month);
        match self.calendar {
            Calendar::Day => write!(formatter, "{year:04}-{month:02}-{day:02}"),
            Calendar::Week => {
                let (year, week, _) = self.first.to_iso_week_date();
                write!(formatter, "{year:04}-W{week:02}")
            }
            Calendar::Month => write!(formatter, "{year:04}-{month:02}"),
            Calendar::Year => write!(formatter, "{year:04}"),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Period({self})")
    }
}

/// How far two clocks may differ before one of them looks for, or publishes, the wrong period. Chosen: well above what a
/// clock without a time server drifts in a month.
pub const SKEW: Span = Span::from_secs(600);

const DAY_SECONDS: u64 = 86_400;
const EPOCH: Date = match Date::from_ordinal_date(1970, 1) {
    Ok(date) => date,
    Err(_) => Date::MIN,
};
/// The Monday of the week in which 1970 began: a week may begin in the year before its own.
const FIRST: Date = match Date::from_ordinal_date(1969, 363) {
    Ok(date) => date,
    Err(_) => Date::MIN,
};
const LAST: Date = match Date::from_ordinal_date(9999, 365) {
    Ok(date) => date,
    Err(_) => Date::MAX,
};
/// Days from 1970 that are certain to lie beyond [`LAST`].
const MOST_DAYS: i64 = 8_100 * 366;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> u64 {
        text.parse::<Period>().expect("a period").begins()
    }

    #[test]
    fn boundaries_of_years_and_weeks_are_those_of_the_calendar() {
        // The last day of 2026 lies in week 53, which reaches into 2027; 2024-12-30 is in the first week of 2025.
        for (day, week) in [
            ("2026-12-31", "2026-W53"),
            ("2027-01-03", "2026-W53"),
            ("2027-01-04", "2027-W01"),
            ("2024-12-30", "2025-W01"),
            ("2021-01-03", "2020-W53"),
            ("1970-01-01", "1970-W01"),
        ] {
            assert_eq!(Calendar::Week.at(seconds(day)).to_string(), week, "{day}");
        }
        let end = seconds("2027-01-01") - 1;
        assert_eq!(Calendar::Year.at(end).to_string(), "2026");
        assert_eq!(Calendar::Month.at(end).to_string(), "2026-12");
        assert_eq!(Calendar::Day.at(end + 1).to_string(), "2027-01-01");
        assert_eq!(Calendar::Day.at(seconds("2028-02-29")).to_string(), "2028-02-29");
        assert_eq!(Calendar::Day.at(u64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn one_spelling_only() {
        for wrong in [
            "",
            "26",
            "2026-1",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "2026-W54",
            "2025-W53",
            "2026-W5",
            "2026-11-22-1",
            "+2026",
            "-2026",
            "1969",
            "12026",
            "2026-w47",
            "2026-W",
            "2026-11-2",
        ] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong}");
        }
        for right in ["2026", "2026-11", "2026-W53", "2024-02-29", "9999-12-31"] {
            assert_eq!(right.parse::<Period>().map(|period| period.to_string()), Ok(right.to_owned()));
        }
    }

    #[test]
    fn a_clock_that_is_behind_finds_what_was_published_a_moment_early() {
        let names = |at: u64| -> Vec<String> {
            Period::candidates(Calendar::Day, at, 1).map(|period| period.to_string()).collect()
        };
        let midnight = seconds("2027-01-01");
        assert_eq!(names(midnight - 601), ["2026-12-31", "2026-12-30"]);
        assert_eq!(names(midnight - 600), ["2027-01-01", "2026-12-31", "2026-12-30"]);
        assert_eq!(names(midnight), ["2027-01-01", "2026-12-31"]);
        assert_eq!(names(0), ["1970-01-01"]);
    }

    proptest! {
        #[test]
        fn periods_follow_each_other_without_gap(at in 0_u64..250_000_000_000, which in 0_usize..4) {
            let period = Calendar::ALL[which].1.at(at);
            prop_assert!(period.begins() <= at);
            prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
            let next = period.next().expect("far from the end of time");
            prop_assert!(next.begins() > at);
            prop_assert_eq!(next.previous(), Some(period));
        }
    }
}
