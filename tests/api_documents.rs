//! The local interface as a program uses it: documents by path, in full and in part, jobs as events, and the description of
//! all of it held to what is there.

mod cli_support;

use std::fs;
use std::io::Read;

use cli_support::{Home, Node};
use serde_json::Value;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};

/// The interface of a node, and the token that opens it.
struct Door {
    agent: Agent,
    base: String,
    token: String,
}

/// An answer with its bytes.
struct Answer {
    status: u16,
    response: Response<Body>,
    bytes: Vec<u8>,
}

impl Door {
    fn of(node: &Node) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
        let api = node.ready["api"].as_str().expect("an address");
        Self {
            agent: config.allow_non_standard_methods(true).build().new_agent(),
            base: format!("http://{}", api.trim_start_matches("http://")),
            token: fs::read_to_string(node.data.join("token")).expect("a token").trim().to_owned(),
        }
    }

    fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header("Authorization", format!("Bearer {}", self.token));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body).expect("a request")).expect("the node answers");
        let mut bytes = Vec::new();
        let _ = response.body_mut().as_reader().read_to_end(&mut bytes);
        Answer { status: response.status().as_u16(), response, bytes }
    }

    /// An answer that is read as it comes.
    fn open(&self, path: &str) -> Response<Body> {
        let request = Request::builder().uri(format!("{}{path}", self.base));
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        self.agent.run(request.body(()).expect("a request")).expect("the node answers")
    }

    fn get(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, fields, b"")
    }
}

impl Answer {
    fn field(&self, name: &str) -> &str {
        self.response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.bytes)))
    }
}

fn pair(home: &Home) -> (Node, Node) {
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    home.json(&["keys", "new", "press", "--data", first.data()]);
    (first, second)
}

#[test]
fn documents_are_inserted_and_fetched_by_path_in_full_and_in_part() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let (writer, reader) = (Door::of(&first), Door::of(&second));
    let document: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let inserted = writer.ask("POST", "/v1/documents?direct=true", &[("Content-Type", "video/x-test")], &document);
    assert_eq!(inserted.status, 201, "{}", inserted.json());
    let uri = inserted.json()["uri"].as_str().expect("a URI").to_owned();
    let path = format!("/v1/documents/{uri}?direct=true");

    let whole = reader.get(&path, &[]);
    assert_eq!((whole.status, &whole.bytes), (200, &document));
    assert_eq!((whole.field("content-type"), whole.field("accept-ranges")), ("video/x-test", "bytes"));
    assert!(whole.field("content-security-policy").contains("sandbox"));
    let tag = whole.field("etag").to_owned();
    let head = reader.ask("HEAD", &path, &[], b"");
    assert_eq!((head.status, head.field("content-length"), head.bytes.len()), (200, "200000", 0));
    for (range, part, place) in [
        ("bytes=0-0", 0..1, "bytes 0-0/200000"),
        ("bytes=32700-32800", 32_700..32_801, "bytes 32700-32800/200000"),
        ("bytes=199990-", 199_990..200_000, "bytes 199990-199999/200000"),
        ("bytes=-10", 199_990..200_000, "bytes 199990-199999/200000"),
        ("bytes=100000-999999999", 100_000..200_000, "bytes 100000-199999/200000"),
    ] {
        let answer = reader.get(&path, &[("Range", range)]);
        assert_eq!((answer.status, answer.field("content-range")), (206, place), "{range}");
        assert_eq!(answer.bytes, document[part], "{range}");
        assert_eq!(answer.field("etag"), tag);
    }
    assert_eq!(reader.get(&path, &[("Range", "bytes=200000-")]).status, 416);
    assert_eq!(reader.get(&path, &[("Range", "bytes=9-3")]).status, 416);
    assert_eq!(reader.get(&path, &[("If-None-Match", &tag)]).status, 304);
    assert_eq!(reader.get(&path, &[("If-None-Match", "\"other\"")]).bytes, document);

    for (path, status) in [
        ("/v1/documents/CHK@abc", 400),
        ("/v1/documents/KSK@nothing-stands-here?direct=true", 404),
        ("/v1/documents/KSK@nothing-stands-here", 503),
        (&format!("/v1/documents/{uri}/file?direct=true"), 404),
        (&format!("{path}&exact=perhaps"), 400),
    ] {
        let answer = reader.get(path, &[]);
        assert_eq!(answer.status, status, "{path}");
    }
    assert_eq!(writer.ask("POST", "/v1/documents?as=nonsense", &[], b"x").status, 400);
    let jobs = reader.get("/v1/jobs", &[]).json();
    assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(0), "nobody waits for any of them: {jobs}");
}

#[test]
fn files_of_a_site_are_documents_too() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let reader = Door::of(&second);
    let root = home.path("pages");
    fs::create_dir_all(root.join("notes")).expect("made");
    for (name, content) in [("index.html", &b"<p>home"[..]), ("notes/a b.txt", b"0123456789"), ("empty.txt", b"")] {
        fs::write(root.join(name), content).expect("written");
    }
    let directory = home.text("pages");
    let site =
        home.json(&["site", "publish", "--direct", &directory, "--as", "usk:press/pages", "--data", first.data()]);
    let path = |file: &str| format!("/v1/documents/{}/{file}?direct=true", site["uri"].as_str().expect("a URI"));
    let note = reader.get(&path("notes/a%20b.txt"), &[]);
    assert_eq!((note.status, note.field("content-type"), &note.bytes[..]), (200, "text/plain", &b"0123456789"[..]));
    let part = reader.get(&path("notes/a%20b.txt"), &[("Range", "bytes=3-5")]);
    assert_eq!((part.status, part.field("content-range"), &part.bytes[..]), (206, "bytes 3-5/10", &b"345"[..]));
    assert_eq!(reader.get(&path("notes/a%20b.txt"), &[("Range", "bytes=10-")]).status, 416);
    let empty = reader.get(&path("empty.txt"), &[]);
    assert_eq!((empty.status, empty.field("content-length"), empty.bytes.len()), (200, "0", 0));
    assert_eq!(reader.get(&path("missing"), &[]).status, 404);
    assert_eq!(reader.get(&path("notes%2Fa"), &[]).status, 400);
}

#[test]
fn a_job_tells_its_changes_as_events() {
    let home = Home::new();
    let (first, _second) = pair(&home);
    let door = Door::of(&first);
    let job = door
        .ask("POST", "/v1/jobs", &[("Content-Type", "application/json")], br#"{"kind":"insert","direct":true}"#)
        .json();
    let place = format!("/v1/jobs/{}", job["id"]);
    let events = std::thread::scope(|scope| {
        let watching = scope.spawn(|| door.get(&format!("{place}/events"), &[]));
        assert_eq!(door.ask("PUT", &format!("{place}/data"), &[], &[7; 100_000]).status, 204);
        watching.join().expect("the events end with the job")
    });
    assert_eq!(events.field("content-type"), "text/event-stream");
    let text = String::from_utf8(events.bytes).expect("text");
    assert!(text.contains("event: end\n"), "{text}");
    let last = text.rsplit("data: ").next().expect("an event");
    let view: Value = serde_json::from_str(last.trim()).expect("JSON");
    assert_eq!((&view["state"], &view["bytes"]), (&"inserted".into(), &100_000.into()), "{view}");
    let keys = door.get("/v1/keys", &[]).json();
    assert_eq!(keys["keys"][0]["name"], "press");
}

#[test]
fn the_list_of_jobs_is_followed_as_events() {
    let home = Home::new();
    let (first, _second) = pair(&home);
    let door = Door::of(&first);
    let json = [("Content-Type", "application/json")];
    let target = home.text("target");
    let fetch = format!(r#"{{"kind":"fetch","uri":"KSK@nothing-stands-here","direct":true,"file":"{target}"}}"#);
    let job = door.ask("POST", "/v1/jobs", &json, fetch.as_bytes()).json();
    let mut response = door.open("/v1/jobs/events");
    let mut events = std::io::BufReader::new(response.body_mut().as_reader());
    let mut next = || loop {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut events, &mut line).expect("an event");
        if let Some(data) = line.strip_prefix("data: ") {
            break serde_json::from_str::<Value>(data).expect("JSON");
        }
    };
    let all = next();
    assert_eq!((&all["jobs"][0]["id"], &all["jobs"][0]["lasting"]), (&job["id"], &true.into()), "{all}");
    let place = format!("/v1/jobs/{}", job["id"]);
    let paused = door.ask("PATCH", &place, &json, br#"{"paused":true}"#);
    assert_eq!((paused.status, &paused.json()["state"]), (200, &"paused".into()));
    let seen = std::iter::repeat_with(&mut next).find(|changes| changes["jobs"][0]["state"] == "paused");
    assert!(seen.is_some_and(|changes| changes["jobs"].as_array().is_some_and(|jobs| jobs.len() == 1)));
    assert_eq!(door.ask("PATCH", &place, &json, br#"{"paused":"perhaps"}"#).status, 400);
    assert_eq!(door.ask("DELETE", &place, &[], b"").status, 204);
    assert!(std::iter::repeat_with(&mut next).any(|changes| changes["gone"][0] == job["id"]));
    assert_eq!(door.ask("DELETE", &place, &[], b"").status, 404, "twice");
    for number in 0..3 {
        let request = fetch.replace("nothing", &format!("nothing-{number}"));
        assert_eq!(door.ask("POST", "/v1/jobs", &json, request.as_bytes()).status, 201);
    }
    let some = door.get("/v1/jobs?newest=2&show=open", &[]).json();
    assert_eq!(some["jobs"].as_array().map(Vec::len), Some(2), "{some}");
    let counted: u64 = some["counts"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(counted, 3, "{some}");
    assert_eq!(door.get("/v1/jobs?show=done", &[]).json()["jobs"].as_array().map(Vec::len), Some(0));
    assert_eq!(door.get("/v1/jobs?show=nonsense", &[]).status, 400);
    for (body, part) in [
        (r#"{"kind":"insert","file":"relative"}"#, "absolute"),
        (r#"{"kind":"insert","file":"/no/such/file"}"#, "gone"),
        (r#"{"kind":"fetch","uri":"nonsense","file":"/tmp/x"}"#, ""),
    ] {
        let refused = door.ask("POST", "/v1/jobs", &json, body.as_bytes());
        assert!(
            refused.status == 400 && refused.json()["error"].as_str().is_some_and(|why| why.contains(part)),
            "{body}"
        );
    }
}

#[test]
fn the_description_names_what_is_there_and_nothing_else() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let door = Door::of(&node);
    let description = door.get("/v1/openapi.json", &[]).json();
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let described: Vec<&String> = description["paths"].as_object().expect("paths").keys().collect();
    let source = include_str!("../src/api/routes.rs");
    let mut routed: Vec<&str> = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    // What is for browsers is no interface for programs.
    routed.retain(|path| path.starts_with("/v1/") || *path == "/metrics");
    routed.sort_unstable();
    let spelled: Vec<String> = routed.iter().map(|path| path.replace("{*", "{")).collect();
    assert_eq!(described, spelled.iter().collect::<Vec<_>>());
    check_requests(&door, &description);
    for (path, methods) in description["paths"].as_object().expect("paths") {
        let place = path.replace("{id}", "999").replace("{link}", "CHK@x");
        for method in ["get", "head", "post", "put", "delete", "patch"] {
            if (path.as_str(), method) == ("/v1/jobs/events", "get") {
                // It has no end.
                continue;
            }
            let status = door.ask(&method.to_uppercase(), &place, &[], b"").status;
            // Where there is a GET there is a HEAD.
            let known = methods.get(method).is_some() || method == "head" && methods.get("get").is_some();
            assert_eq!(status != 405, known, "{method} {path}: {status}");
        }
    }
}

/// What the node expects of a request for a job, as it says when it gets something else.
fn expected(door: &Door, body: &str) -> Vec<String> {
    let answer = door.ask("POST", "/v1/jobs", &[("Content-Type", "application/json")], body.as_bytes());
    let why = answer.json()["error"].as_str().expect("a sentence").to_owned();
    assert!(answer.status == 400 && why.contains("expected one of"), "{body}: {why}");
    let (_, names) = why.split_once("expected one of").expect("it is there");
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The kinds of jobs and the fields of their requests are those of the description.
fn check_requests(door: &Door, description: &Value) {
    let schema = |name: &str| &description["components"]["schemas"][name]["properties"];
    let mut fields = vec!["kind".to_owned()];
    let kinds = expected(door, r#"{"kind":"nonsense"}"#);
    for kind in &kinds {
        match &kind[..] {
            // Of two fields the sentence is another one.
            "find" => fields.extend(["uri".to_owned(), "direct".to_owned()]),
            _ => fields.extend(expected(door, &format!(r#"{{"kind":"{kind}","nonsense":1}}"#))),
        }
    }
    fields.sort_unstable();
    fields.dedup();
    let request = schema("JobRequest");
    assert_eq!(request["kind"]["enum"], Value::from(kinds.clone()));
    assert_eq!(schema("Job")["what"]["enum"], Value::from(kinds));
    let mut described: Vec<String> = request.as_object().expect("fields").keys().cloned().collect();
    described.sort_unstable();
    assert_eq!(described, fields);
}

#[test]
fn a_whole_site_is_one_job_and_its_fields_are_described() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let (writer, reader) = (Door::of(&first), Door::of(&second));
    let json = [("Content-Type", "application/json")];
    fs::create_dir_all(home.path("pages")).expect("made");
    fs::write(home.path("pages").join("index.html"), b"<p>home").expect("written");
    let end = |door: &Door, request: &Value| {
        let begun = door.ask("POST", "/v1/jobs", &json, request.to_string().as_bytes());
        assert_eq!(begun.status, 201, "{}", begun.json());
        let events = door.get(&format!("/v1/jobs/{}/events", begun.json()["id"]), &[]);
        let text = String::from_utf8(events.bytes).expect("text");
        serde_json::from_str::<Value>(text.rsplit("data: ").next().expect("an event").trim()).expect("JSON")
    };
    let publish = serde_json::json!({ "kind": "publish", "directory": home.text("pages"), "name": "usk:press/pages", "direct": true });
    let published = end(&writer, &publish);
    assert_eq!((&published["state"], &published["files"]), (&"published".into(), &1.into()), "{published}");
    let save =
        serde_json::json!({ "kind": "save", "uri": published["uri"], "directory": home.text("saved"), "direct": true });
    let saved = end(&reader, &save);
    assert_eq!((&saved["state"], &saved["found"]), (&"saved".into(), &published["uri"]), "{saved}");
    assert_eq!(fs::read(home.path("saved").join("index.html")).expect("it is there"), b"<p>home");
    let description = writer.get("/v1/openapi.json", &[]).json();
    let schemas = &description["components"]["schemas"];
    for view in [published, saved] {
        for (part, schema) in [(&view, "Job"), (&view["progress"], "Progress")] {
            let unknown: Vec<&String> = part
                .as_object()
                .expect("fields")
                .keys()
                .filter(|key| schemas[schema]["properties"].get(*key).is_none())
                .collect();
            assert!(unknown.is_empty(), "{schema}: {unknown:?}");
        }
        assert!(schemas["Job"]["properties"]["state"]["enum"].as_array().expect("states").contains(&view["state"]));
    }
    for (request, part) in [
        (serde_json::json!({ "kind": "publish", "directory": "relative" }), "absolute"),
        (serde_json::json!({ "kind": "publish", "directory": "/no/such/place" }), "not a directory"),
        (serde_json::json!({ "kind": "save", "uri": "KSK@word", "directory": home.text("saved") }), "not empty"),
        (serde_json::json!({ "kind": "save", "uri": "nonsense", "directory": home.text("new") }), "URI"),
    ] {
        let refused = writer.ask("POST", "/v1/jobs", &json, request.to_string().as_bytes());
        let why = refused.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(refused.status == 400 && why.contains(part), "{request}: {why}");
    }
}
