//! A bulk endpoint in this process, for faults that a real one will not make on demand. Never for "it works".
//!
//! It keeps Elasticsearch's rules where they matter: `create` of an id that is there is a 409 item, items answer by
//! position, `filter_path` drops what it does not name (items that become empty too), and it has no `GET /`. Faults are
//! queued with [`Target::fail_next`], one bulk request each, or stand until changed (`reject`, `poison`, `max_body`, …).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub(crate) use super::fault::Fault;
use super::fault::Faults;
use super::http::{Answer, Request, Seen, decoded, filtered, header, read_head, reset, send};
use super::process::free_listener;
use super::{templates, until};

/// A document as it was taken.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) index: String,
    pub(crate) document: Value,
    /// How often it was sent, the time it was taken included.
    pub(crate) attempts: usize,
}

type Predicate = Box<dyn Fn(&Value) -> bool + Send>;

#[derive(Default)]
struct State {
    faults: Faults,
    stored: BTreeMap<String, Stored>,
    sent: BTreeMap<String, usize>,
    seen: Vec<Seen>,
    templates: BTreeMap<String, Value>,
    reject: Option<Predicate>,
    poison: Option<String>,
    max_body: Option<usize>,
    refused_encoding: Option<(String, u16)>,
    unknown_settings: Vec<&'static str>,
    nodes: Value,
    fields: (u16, Value),
    under_way: usize,
    most_under_way: usize,
}

impl State {
    fn enter(&mut self) {
        self.under_way += 1;
        self.most_under_way = self.most_under_way.max(self.under_way);
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Notify,
    /// Whether answers are kept back.
    held: watch::Sender<bool>,
}

/// The endpoint; it goes away when dropped.
pub(crate) struct Target {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

impl Target {
    /// Listens on a port that stays its own while it is stopped: no outgoing connection is given it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::from_std(free_listener()).expect("a runtime");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Notify::new(),
            held: watch::Sender::new(false),
        });
        let serving = Some(tokio::spawn(serve(listener, Arc::clone(&shared))));
        Self { address, shared, serving }
    }

    /// Stops listening and closes every connection; what was taken stays.
    pub(crate) async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // why: the port is closed once the task is gone, not before.
            serving.await.expect_err("aborted");
        }
    }

    /// Listens again, on the same port.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        // Another connection of this machine may have been given it meanwhile, for a moment.
        let address = self.address;
        let listener = until("the port it had to be free", || TcpListener::bind(address)).await;
        self.serving = Some(tokio::spawn(serve(listener, Arc::clone(&self.shared))));
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("http://{}", self.address).parse().expect("a URL")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next `times` bulk requests go wrong so, after those queued before.
    pub(crate) fn fail_next(&self, fault: Fault, times: usize) {
        self.lock().faults.queue(fault, times);
    }

    /// Every so many-th bulk request goes wrong so, from the next on.
    pub(crate) fn fail_every(&self, every: usize, fault: Fault) {
        self.lock().faults.repeat(every, fault);
    }

    /// Keeps answers of bulk requests back, until told otherwise; what they ask for is done.
    pub(crate) fn hold_answers(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// Forgets all faults of requests to come.
    pub(crate) fn heal(&self) {
        self.lock().faults = Faults::default();
    }

    /// Documents of which `predicate` holds get a 400 item from now on.
    pub(crate) fn reject(&self, predicate: impl Fn(&Value) -> bool + Send + 'static) {
        self.lock().reject = Some(Box::new(predicate));
    }

    /// A body with `text` in it gets a 400 as a whole.
    pub(crate) fn poison(&self, text: &str) {
        self.lock().poison = Some(text.into());
    }

    /// A body of more bytes gets a 413.
    pub(crate) fn max_body(&self, bytes: usize) {
        self.lock().max_body = Some(bytes);
    }

    /// A body so encoded gets this status.
    pub(crate) fn refuse_encoding(&self, encoding: &str, status: u16) {
        self.lock().refused_encoding = Some((encoding.into(), status));
    }

    /// A template that names one of these gets a 400.
    pub(crate) fn does_not_know(&self, words: &[&'static str]) {
        self.lock().unknown_settings = words.to_vec();
    }

    /// What `_nodes/http` answers.
    pub(crate) fn tells_nodes(&self, nodes: Value) {
        self.lock().nodes = nodes;
    }

    /// What `_field_caps` of any index answers, to be told before anything is healed.
    pub(crate) fn tells_fields(&self, status: u16, fields: Value) {
        self.lock().fields = (status, fields);
    }

    /// Everything taken, by index and id with a blank between.
    pub(crate) fn documents(&self) -> BTreeMap<String, Stored> {
        self.lock().stored.clone()
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// Bulk requests so far.
    pub(crate) fn bulk_requests(&self) -> usize {
        self.requests().iter().filter(|seen| seen.line.contains("_bulk")).count()
    }

    /// Index templates that were installed.
    pub(crate) fn templates(&self) -> BTreeMap<String, Value> {
        self.lock().templates.clone()
    }

    /// The most bulk requests that were under way at once.
    pub(crate) fn most_under_way(&self) -> usize {
        self.lock().most_under_way
    }

    /// Waits until `holds` of this endpoint; looks whenever a request has come or was answered.
    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // why: an answer would wait for the ack of the one before: 40 ms for each request.
        stream.set_nodelay(true).ok();
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let mut stream = stream;
            while let Some(true) = exchange(&mut stream, &shared).await {}
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One request and its answer; None or false when the connection has ended.
async fn exchange(stream: &mut TcpStream, shared: &Shared) -> Option<bool> {
    let head = read_head(stream).await?;
    let line = head.lines().next()?.to_owned();
    let is_bulk = line.starts_with("POST") && line.contains("/_bulk");
    let fault = if is_bulk { shared.lock().faults.next() } else { None };
    let seen = Seen {
        line: line.clone(),
        encoding: header(&head, "content-encoding"),
        authorization: header(&head, "authorization"),
        bytes: header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0),
        documents: 0,
    };
    shared.lock().seen.push(seen.clone());
    let at = shared.lock().seen.len() - 1;
    shared.changed.notify_waiters();
    if matches!(fault, Some(Fault::ResetBeforeReading)) {
        reset(stream);
        return None;
    }
    let mut body = vec![0; seen.bytes];
    stream.read_exact(&mut body).await.ok()?;
    let request = Request { line, encoding: seen.encoding, body };
    if is_bulk {
        shared.lock().enter();
    }
    let answer = answer(&request, fault, &mut shared.lock(), at);
    if let Some(Fault::Slow(pause)) = answer.fault {
        tokio::time::sleep(pause).await;
    }
    if is_bulk {
        shared.changed.notify_waiters();
        shared.held.subscribe().wait_for(|held| !held).await.ok()?;
        shared.lock().under_way -= 1;
    }
    shared.changed.notify_waiters();
    send(stream, answer).await
}

fn answer(request: &Request, fault: Option<Fault>, state: &mut State, at: usize) -> Answer {
    let path = request.line.split(' ').nth(1).unwrap_or_default();
    match path.trim_start_matches('/').split('?').next().unwrap_or_default() {
        "_bulk" => bulk(request, fault, state, at),
        "_nodes/http" => Answer::json(200, &state.nodes),
        "_template" => Answer::json(200, &json!({})),
        "login" => Answer::page(200),
        "_index_template" => templates::list(&state.templates),
        path if path.ends_with("/_field_caps") => Answer::json(state.fields.0, &state.fields.1),
        path => match path.strip_prefix("_index_template/") {
            Some(name) if name.starts_with("_simulate_index/") => templates::simulate(name, &state.templates),
            Some(name) => templates::put(name, &request.body, &state.unknown_settings, &mut state.templates),
            None => Answer::error(405, "method_not_allowed", "Incorrect HTTP method"),
        },
    }
}

fn bulk(request: &Request, fault: Option<Fault>, state: &mut State, at: usize) -> Answer {
    if let Some(Fault::Status { status, kind }) = fault {
        return match kind {
            "" => Answer::page(status),
            _ => Answer::error(status, kind, "as the story has it"),
        };
    }
    if let Some(Fault::Redirect(status)) = fault {
        return Answer { fault, ..Answer::page(status) };
    }
    if let Some((encoding, status)) = &state.refused_encoding
        && request.encoding.as_ref() == Some(encoding)
    {
        return Answer::error(*status, "illegal_argument_exception", "Malformed action/metadata line [1]");
    }
    let body = decoded(request);
    if state.max_body.is_some_and(|most| body.len() > most) {
        return Answer { status: 413, body: Vec::new(), fault: None };
    }
    let text = String::from_utf8(body).expect("a body is text");
    if state.poison.as_ref().is_some_and(|poison| text.contains(poison)) {
        return Answer::error(400, "illegal_argument_exception", "id is too long");
    }
    if text.trim().is_empty() {
        return Answer::error(400, "parse_exception", "request body is required");
    }
    apply(request, &text, fault, state, at)
}

fn apply(request: &Request, text: &str, fault: Option<Fault>, state: &mut State, at: usize) -> Answer {
    assert!(text.ends_with('\n'), "a bulk body ends with a line end");
    let lines: Vec<&str> = text.lines().collect();
    let mut items = Vec::new();
    for (position, pair) in lines.chunks(2).enumerate() {
        let [action, document] = pair else { panic!("an action without a document: {pair:?}") };
        let action: Value = serde_json::from_str(action).expect("an action is JSON");
        items.push(json!({"create": item(&action["create"], document, position, fault.as_ref(), state)}));
    }
    state.seen[at].documents = items.len();
    match fault {
        Some(Fault::TooFewItems) => drop(items.pop()),
        Some(Fault::TooManyItems) => items.extend_from_within(items.len() - 1..),
        _ => (),
    }
    let errors = items.iter().any(|item| !item["create"]["error"].is_null());
    let mut answer = json!({"took": 1, "errors": errors, "items": items});
    if let Some((_, paths)) = request.line.split(' ').nth(1).and_then(|path| path.split_once("filter_path="))
    {
        let paths: Vec<Vec<&str>> = paths.split(',').map(|path| path.split('.').collect()).collect();
        answer = filtered(&answer, &paths).unwrap_or_else(|| json!({}));
    }
    let body = match fault {
        Some(Fault::Garbage) => b"<html>200 OK, said the proxy</html>".to_vec(),
        _ => answer.to_string().into_bytes(),
    };
    Answer { status: 200, body, fault }
}

fn item(meta: &Value, document: &str, position: usize, fault: Option<&Fault>, state: &mut State) -> Value {
    let id = meta["_id"].as_str().expect("every document has an id").to_owned();
    let index = meta["_index"].as_str().expect("every document has an index").to_owned();
    // As with a real one, an id holds inside of its index.
    let place = format!("{index} {id}");
    *state.sent.entry(place.clone()).or_default() += 1;
    let error = |status: u16, kind: &str, reason: &str| json!({"_index": index, "_id": id, "status": status, "error": {"type": kind, "reason": reason}});
    if let Some(Fault::Items { every, status, kind, reason }) = fault
        && position.is_multiple_of(*every)
    {
        return error(*status, kind, reason);
    }
    let document: Value = serde_json::from_str(document).expect("a document is JSON");
    if state.reject.as_ref().is_some_and(|reject| reject(&document)) {
        return error(400, "document_parsing_exception", "failed to parse field [n]");
    }
    let attempts = state.sent[&place];
    if let Some(stored) = state.stored.get_mut(&place) {
        stored.attempts = attempts;
        return error(409, "version_conflict_engine_exception", "document already exists");
    }
    let mut status = json!({"_index": index, "_id": id, "result": "created", "status": 201});
    if let Some(Fault::FailureStore { every }) = fault
        && position.is_multiple_of(*every)
    {
        status["failure_store"] = "used".into();
    }
    state.stored.insert(place, Stored { index, document, attempts });
    status
}
