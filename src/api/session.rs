//! Sessions of browsers: begun by a link that works once, shown by a cookie, and what they may open.
//!
//! Guarantees: a ticket works once and for [`TICKET_LIFE`]; a session ends with the node; a cookie counts only where the browser
//! says that the request comes from this origin or from the address bar, so no page elsewhere can make use of it. A view
//! of a site has a word of its own in its path, which opens that site and nothing else.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, Method, header};
use crypto::hash::{Label, derive};
use crypto::secret::Secret;
use data_encoding::BASE64URL_NOPAD;

use crate::daemon::chance;
use crate::time::Duration;

/// The sessions of one run of a node.
#[derive(Debug)]
pub(super) struct Sessions {
    secret: Secret<32>,
    /// With the time it was made at.
    tickets: Mutex<VecDeque<(Secret<32>, tokio::time::Instant)>>,
    cookie: String,
}

impl Sessions {
    /// None yet. Browsers do not keep the cookies of two ports apart, so the cookie's name has the port.
    pub(super) fn new(port: u16) -> Self {
        let secret = Secret::from_bytes(chance::bytes());
        Self { secret, tickets: Mutex::default(), cookie: format!("bolthole-{port}") }
    }

    /// A ticket for one login.
    pub(super) fn ticket(&self) -> String {
        let ticket: [u8; 32] = chance::bytes();
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.len() >= TICKETS {
            tickets.pop_front();
        }
        tickets.push_back((Secret::from_bytes(ticket), tokio::time::Instant::now()));
        BASE64URL_NOPAD.encode(&ticket)
    }

    /// The cookie that `ticket` buys, if it is good.
    pub(super) fn login(&self, ticket: &str) -> Option<String> {
        let ticket = secret(ticket)?;
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let at = tickets.iter().position(|(known, _)| *known == ticket)?;
        let (_, made) = tickets.remove(at)?;
        let word = BASE64URL_NOPAD.encode(self.secret.expose());
        (made.elapsed() <= TICKET_LIFE).then(|| format!("{}={word}; HttpOnly; SameSite=Strict; Path=/", self.cookie))
    }

    /// Whether a request is one of a session, and of nobody who made a browser send it.
    pub(super) fn admit(&self, method: &Method, headers: &HeaderMap) -> bool {
        let site = headers.get(SEC_FETCH_SITE).and_then(|value| value.to_str().ok());
        let is_own = match site {
            Some("same-origin") => true,
            // Typed, or opened from elsewhere on this machine: that only shows something.
            Some("none") => matches!(*method, Method::GET | Method::HEAD),
            _ => false,
        };
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        is_own && pairs.any(|(name, word)| name == self.cookie && secret(word).is_some_and(|word| word == self.secret))
    }

    /// The word in the path of the views of one site or document.
    pub(super) fn view(&self, uri: &str) -> String {
        let word = derive(Label::Vault, &[self.secret.expose(), b"view of a document", uri.as_bytes()]);
        BASE64URL_NOPAD.encode(&word.expose()[..VIEW_BYTES])
    }

    /// Whether `word` opens the views of `uri`.
    pub(super) fn opens(&self, word: &str, uri: &str) -> bool {
        // Both sides are hashed once more, so that the time of comparing says nothing of the word.
        let hashed = |word: &str| derive(Label::Vault, &[self.secret.expose(), b"compared", word.as_bytes()]);
        hashed(word) == hashed(&self.view(uri))
    }
}

fn secret(text: &str) -> Option<Secret<32>> {
    let bytes = BASE64URL_NOPAD.decode(text.trim().as_bytes()).ok()?;
    bytes.try_into().ok().map(Secret::from_bytes)
}

/// What the browser says of where a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// Bytes of the word in the path of a view.
const VIEW_BYTES: usize = 16;
/// How long a login link works. Chosen: a person clicks at once.
const TICKET_LIFE: Duration = Duration::from_secs(60);
/// Login links at once; the oldest goes. Chosen.
const TICKETS: usize = 16;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_ticket_buys_one_session() {
        let sessions = Sessions::new(99);
        let ticket = sessions.ticket();
        assert_eq!(sessions.login("nonsense"), None);
        let cookie = sessions.login(&ticket).expect("it is good");
        assert!(cookie.starts_with("bolthole-99=") && cookie.contains("SameSite=Strict"), "{cookie}");
        assert_eq!(sessions.login(&ticket), None, "once");
    }

    #[test]
    fn a_cookie_counts_only_for_requests_of_the_page_itself() {
        let sessions = Sessions::new(99);
        let cookie = sessions.login(&sessions.ticket()).expect("it is good");
        let pair = cookie.split(';').next().expect("a pair").to_owned();
        let admit = |method: Method, cookie: &str, site: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).expect("text"))]);
            if let Some(site) = site {
                headers.insert(SEC_FETCH_SITE, HeaderValue::from_static(site));
            }
            sessions.admit(&method, &headers)
        };
        assert!(admit(Method::POST, &pair, Some("same-origin")));
        assert!(admit(Method::GET, &format!("other=1; {pair}"), Some("none")));
        assert!(!admit(Method::POST, &pair, Some("none")));
        for site in [Some("cross-site"), Some("same-site"), None] {
            assert!(!admit(Method::GET, &pair, site), "{site:?}");
        }
        assert!(!admit(Method::GET, "bolthole-99=AAAA", Some("same-origin")));
    }

    #[test]
    fn a_view_opens_one_site() {
        let sessions = Sessions::new(99);
        let word = sessions.view("KSK@one");
        assert!(sessions.opens(&word, "KSK@one"));
        assert!(!sessions.opens(&word, "KSK@two") && !sessions.opens("", "KSK@one"));
        assert_ne!(word, Sessions::new(99).view("KSK@one"), "the words of another run");
    }
}
