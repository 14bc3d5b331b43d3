//! A stand-in for a Docker Engine: an HTTP server on a unix socket that answers as the engine's API is documented, and does on demand
//! what a real one does seldom.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

/// How it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Manner {
    /// As documented.
    #[default]
    Well,
    /// Never.
    Silent,
    /// A part, and then the connection is closed.
    Cut,
    /// What is no JSON.
    Garbage,
    /// JSON of another shape.
    Odd,
    /// With that status.
    Status(u16),
    /// Without end.
    Endless,
}

type Sent = mpsc::Sender<io::Result<Bytes>>;

#[derive(Default)]
struct Shared {
    manner: Mutex<Manner>,
    containers: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<String>>,
    followers: Mutex<Vec<Sent>>,
}

/// See the module.
pub(crate) struct Docker {
    shared: Arc<Shared>,
    folder: tempfile::TempDir,
}

impl Docker {
    /// One that listens.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let docker = Self { shared: Arc::default(), folder };
        let listener = UnixListener::bind(docker.socket()).expect("a socket");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&docker.shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        docker
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    pub(crate) fn answer(&self, manner: Manner) {
        *self.shared.manner.lock().expect("no panic") = manner;
    }

    /// Has a container from now on; it is told to who follows.
    pub(crate) fn create(&self, id: &str, name: &str, labels: Value) {
        let container = json!({ "name": name, "image": "shop/web:v2", "labels": labels });
        let before = self.shared.containers.lock().expect("no panic").insert(id.into(), container);
        self.tell(if before.is_none() { "create" } else { "rename" }, id);
    }

    pub(crate) fn destroy(&self, id: &str) {
        self.shared.containers.lock().expect("no panic").remove(id);
        self.tell("destroy", id);
    }

    /// An event as the engine writes it, in two pieces.
    fn tell(&self, action: &str, id: &str) {
        let event = json!({ "Type": "container", "Action": action, "Actor": { "ID": id, "Attributes": {} }, "time": 1 });
        let event = format!("{event}\n");
        let (head, tail) = event.split_at(20);
        self.send(head);
        self.send(tail);
    }

    /// Bytes to all who follow.
    pub(crate) fn send(&self, bytes: &str) {
        let mut followers = self.shared.followers.lock().expect("no panic");
        followers.retain(|sent| sent.try_send(Ok(Bytes::copy_from_slice(bytes.as_bytes()))).is_ok());
    }

    /// Ends the streams of events, as a restart does.
    pub(crate) fn hang_up(&self) {
        self.shared.followers.lock().expect("no panic").clear();
    }

    pub(crate) fn has_followers(&self) -> bool {
        !self.shared.followers.lock().expect("no panic").is_empty()
    }

    /// Which containers it was asked for, one by one.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.shared.asked.lock().expect("no panic");
        let id = |path: &String| Some(path.strip_prefix("/containers/")?.strip_suffix("/json")?.to_owned());
        asked.iter().filter_map(id).collect()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Infallible> {
    let path = request.uri().path().to_owned();
    shared.asked.lock().expect("no panic").push(path.clone());
    let manner = *shared.manner.lock().expect("no panic");
    if path == "/events" {
        let (sent, stream) = mpsc::channel(64);
        shared.followers.lock().expect("no panic").push(sent);
        return Ok(Response::new(Body::new(Stream(stream))));
    }
    let (status, whole) = documented(&shared, &path);
    Ok(match manner {
        Manner::Well => of(status, Body::from(whole)),
        Manner::Silent => std::future::pending().await,
        Manner::Garbage => of(200, Body::from("<html>no engine</html>")),
        Manner::Odd => of(200, Body::from(r#"{"Id": 5, "Labels": [1]}"#)),
        Manner::Status(status) => of(status, Body::from(whole)),
        Manner::Cut => {
            let (sent, stream) = mpsc::channel(2);
            let half = whole.get(..whole.len() / 2).unwrap_or_default().to_owned();
            sent.send(Ok(Bytes::from(half))).await.unwrap_or_default();
            sent.send(Err(io::ErrorKind::ConnectionReset.into())).await.unwrap_or_default();
            of(200, Body::new(Stream(stream)))
        }
        Manner::Endless => {
            let (sent, stream) = mpsc::channel(2);
            let blanks = Bytes::from(vec![b' '; 1 << 20]);
            tokio::spawn(async move { while sent.send(Ok(blanks.clone())).await.is_ok() {} });
            of(200, Body::new(Stream(stream)))
        }
    })
}

fn of(status: u16, body: Body) -> Response {
    Response::builder().status(status).body(body).expect("a good answer")
}

/// The two answers that are documented at <https://docs.docker.com/reference/api/engine/>, in short.
fn documented(shared: &Shared, path: &str) -> (u16, String) {
    let containers = shared.containers.lock().expect("no panic");
    if path == "/containers/json" {
        let listed = |(id, one): (&String, &Value)| {
            let name = one["name"].as_str().unwrap_or_default();
            json!({ "Id": id, "Names": [format!("/other/{name}"), format!("/{name}")], "Image": one["image"], "ImageID": "sha256:0",
                    "Labels": one["labels"], "State": "running", "Mounts": [] })
        };
        return (200, Value::Array(containers.iter().map(listed).collect()).to_string());
    }
    let id = path.split('/').nth(2).unwrap_or_default();
    match containers.iter().find(|(other, _)| other.starts_with(id)) {
        Some((id, one)) => {
            let config = json!({ "Image": one["image"], "Labels": one["labels"], "Env": ["SECRET=x"] });
            let name = format!("/{}", one["name"].as_str().unwrap_or_default());
            (200, json!({ "Id": id, "Name": name, "Image": "sha256:0", "Config": config }).to_string())
        }
        None => (404, json!({ "message": format!("No such container: {id}") }).to_string()),
    }
}

/// A body that is sent piece by piece.
struct Stream(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
