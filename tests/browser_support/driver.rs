//! A browser that is driven as a person would: keys, files, drops; over the DevTools protocol of Chromium.
//!
//! Each question waits for its answer; what the browser tells unasked is passed over. Leaves out what a page should do.
#![allow(clippy::disallowed_methods, reason = "a real browser takes real time")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// A running browser.
pub struct Driver {
    child: Child,
    socket: WebSocket<TcpStream>,
    asked: u64,
}

/// One of its tabs, by its session.
#[derive(Clone)]
pub struct Tab(String);

impl Driver {
    /// Starts the browser with a profile of its own.
    pub fn start(browser: &str, profile: &Path) -> Self {
        let fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "about:blank"];
        let mut child = Command::new(browser)
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(fixed)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let said = lines.find_map(|line| Some(line.ok()?.strip_prefix("DevTools listening on ")?.to_owned()));
        let url = said.expect("it says where it listens");
        // What it says later has to go somewhere, or it would wait.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.trim_start_matches("ws://").split('/').next().expect("an address");
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a plain socket");
        let (socket, _) = tungstenite::client(&url, stream).expect("it speaks the protocol");
        Self { child, socket, asked: 0 }
    }

    /// A new tab at `url`.
    pub fn tab(&mut self, url: &str) -> Tab {
        let target = self.ask(None, "Target.createTarget", json!({ "url": url }))["targetId"].clone();
        self.attach(&target)
    }

    /// The tab whose address contains `part`, when there is one.
    pub fn tab_with(&mut self, part: &str) -> Tab {
        for _ in 0..LOOKS {
            let targets = self.ask(None, "Target.getTargets", json!({}))["targetInfos"].clone();
            let targets = targets.as_array().expect("a list");
            let is = |target: &&Value| {
                target["type"] == "page" && target["url"].as_str().is_some_and(|url| url.contains(part))
            };
            if let Some(target) = targets.iter().find(is) {
                return self.attach(&target["targetId"]);
            }
            sleep(LOOK_EVERY);
        }
        panic!("no tab shows {part}");
    }

    /// Brings a tab to the front: pages at the back rest.
    pub fn show(&mut self, tab: &Tab) {
        self.ask(Some(tab), "Page.bringToFront", json!({}));
    }

    fn attach(&mut self, target: &Value) -> Tab {
        let attached = self.ask(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        Tab(attached["sessionId"].as_str().expect("a session").to_owned())
    }

    /// What an expression is in a tab.
    pub fn value(&mut self, tab: &Tab, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        self.ask(Some(tab), "Runtime.evaluate", asked)["result"]["value"].clone()
    }

    /// Waits until an expression holds in a tab.
    pub fn until(&mut self, tab: &Tab, expression: &str) {
        for _ in 0..LOOKS {
            if self.value(tab, &format!("Boolean({expression})")) == true {
                return;
            }
            sleep(LOOK_EVERY);
        }
        panic!("it never came: {expression}\n{}", self.value(tab, "document.body.innerText"));
    }

    /// Presses a key.
    pub fn press(&mut self, tab: &Tab, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            other => panic!("no key {other} here"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.ask(Some(tab), "Input.dispatchKeyEvent", event);
        }
    }

    /// Types into what has the focus.
    pub fn enter(&mut self, tab: &Tab, text: &str) {
        self.ask(Some(tab), "Input.insertText", json!({ "text": text }));
    }

    /// Chooses files in an input.
    pub fn choose(&mut self, tab: &Tab, selector: &str, files: &[&str]) {
        let root = self.ask(Some(tab), "DOM.getDocument", json!({}))["root"]["nodeId"].clone();
        let node = self.ask(Some(tab), "DOM.querySelector", json!({ "nodeId": root, "selector": selector }));
        self.ask(Some(tab), "DOM.setFileInputFiles", json!({ "nodeId": node["nodeId"], "files": files }));
    }

    /// Drops files in the middle of an element.
    pub fn drop_files(&mut self, tab: &Tab, selector: &str, files: &[&str]) {
        let place = format!(
            "(() => {{ const element = document.querySelector('{selector}'); element.scrollIntoView();
                const {{ x, y, width, height }} = element.getBoundingClientRect(); return [x + width / 2, y + height / 2] }})()"
        );
        let place = self.value(tab, &place);
        let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "data": data });
            self.ask(Some(tab), "Input.dispatchDragEvent", event);
        }
    }

    /// Makes the window `width` wide, in dark or light colours.
    pub fn looks(&mut self, tab: &Tab, width: u32, colours: &str) {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.ask(Some(tab), "Emulation.setDeviceMetricsOverride", size);
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": colours }] });
        self.ask(Some(tab), "Emulation.setEmulatedMedia", media);
    }

    fn ask(&mut self, tab: Option<&Tab>, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut question = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(Tab(session)) = tab {
            question["sessionId"] = session.clone().into();
        }
        self.socket.send(Message::text(question.to_string())).expect("it listens");
        loop {
            let Message::Text(text) = self.socket.read().expect("it answers") else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == self.asked {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long the browser may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a test looks whether something has come, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// See [`LOOK_EVERY`].
const LOOKS: usize = 1_200;
