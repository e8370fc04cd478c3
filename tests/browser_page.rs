//! The page as a person uses it, in a real browser: files dropped and chosen, documents read, jobs steered by the keyboard.
//!
//! Where Chromium is not installed the test says so and passes. `apt-get install chromium` has it.

mod browser_support;
mod cli_support;

use std::fs;

use browser_support::driver::Driver;
use browser_support::{browser, open};
use cli_support::Home;

/// The line of the job whose title contains `title`.
fn line(title: &str) -> String {
    format!("[...document.querySelectorAll('.job')].find((line) => line.textContent.includes('{title}'))")
}

/// Gives the focus to a button of that line by its name.
fn focus(title: &str, name: &str) -> String {
    format!("({}).querySelector('button[aria-label^=\"{name}\"]').focus()", line(title))
}

#[test]
fn a_person_publishes_reads_and_steers_jobs_with_the_page() {
    let Some(browser) = browser() else { return };
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let (base, login) = open(&home, &second);
    let mut driver = Driver::start(browser, &home.path("profile"));
    let page = driver.tab(&format!("{base}{login}"));
    driver.until(&page, "document.getElementById('summary')?.innerText.includes('1 peer')");

    driver.press(&page, "Tab");
    assert_eq!(driver.value(&page, "document.activeElement.className"), "skip", "the first stop leads to the content");

    let poem = home.file("poem.txt", b"The woods are lovely, dark and deep");
    driver.value(&page, "document.getElementById('insert-direct').click()");
    driver.drop_files(&page, "#drop", &[&poem]);
    driver.until(&page, &format!("({})?.dataset.state === 'inserted'", line("poem.txt")));
    let uri = driver.value(&page, &format!("({}).querySelector('a.uri').innerText", line("poem.txt")));
    let uri = uri.as_str().expect("a URI");
    assert!(uri.starts_with("CHK@"), "{uri}");

    driver.value(&page, "document.getElementById('direct').click(), document.getElementById('uri').focus()");
    driver.enter(&page, uri);
    driver.press(&page, "Enter");
    let read = driver.tab_with("/direct/");
    driver.until(&read, "document.body?.innerText.includes('The woods are lovely, dark and deep')");

    driver.show(&page);
    let film: Vec<u8> = (0..16_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let film = home.file("film.bin", &film);
    driver.choose(&page, "#file", &[&film]);
    driver.until(&page, &format!("({})?.querySelector('button[aria-label^=\"Pause\"]')", line("film.bin")));
    driver.until(&page, "document.getElementById('inserted').innerText.includes('the node has it all')");
    for (button, state) in [("Pause", "paused"), ("Resume", "running"), ("Pause", "paused")] {
        driver.value(&page, &focus("film.bin", button));
        driver.press(&page, "Enter");
        driver.until(&page, &format!("({})?.dataset.state === '{state}'", line("film.bin")));
    }
    driver.value(&page, &focus("film.bin", "Cancel"));
    driver.press(&page, "Enter");
    driver.until(&page, &format!("!({})", line("film.bin")));

    let target = home.text("fetched.txt");
    driver.value(
        &page,
        "document.querySelector('#fetch details').open = true, document.getElementById('target').focus()",
    );
    driver.enter(&page, &target);
    driver.value(&page, "document.getElementById('background').focus()");
    driver.press(&page, "Enter");
    driver.until(&page, "[...document.querySelectorAll('.job')].some((line) => line.dataset.state === 'fetched')");
    assert_eq!(fs::read(&target).expect("written"), fs::read(&poem).expect("kept"));

    for (colours, is_dark) in [("light", false), ("dark", true)] {
        driver.looks(&page, 400, colours);
        let width = driver.value(&page, "document.documentElement.scrollWidth");
        assert!(width.as_u64().is_some_and(|width| width <= 400), "{width} wide in a window of 400");
        let background =
            driver.value(&page, "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)");
        let light: u64 = background.as_array().expect("three parts").iter().filter_map(serde_json::Value::as_u64).sum();
        assert_eq!(light < 300, is_dark, "{colours}: {background}");
    }
}
