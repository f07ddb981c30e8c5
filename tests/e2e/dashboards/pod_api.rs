//! A fake of the API server of Kubernetes, which cannot be had here: it lists and watches pods as the
//! real one does, for a real client, and has nothing else.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::dashboards::server::{Request, listen, say};

/// What has happened: the version of each event is its place, from 1.
type Events = Vec<(&'static str, Value)>;

/// The running fake.
#[derive(Debug)]
pub struct PodApi {
    address: SocketAddr,
    events: Arc<Mutex<Events>>,
}

impl PodApi {
    /// Starts it with these pods.
    pub fn start(pods: Vec<Value>) -> Self {
        let events: Events = pods.into_iter().map(|pod| ("ADDED", pod)).collect();
        let events = Arc::new(Mutex::new(events));
        let known = Arc::clone(&events);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = listen(any, move |request, stream| answer(&request, stream, &known));
        Self { address, events }
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A pod goes away.
    pub fn delete(&self, name: &str) {
        let mut events = self.events.lock().unwrap();
        let pod = events.iter().find(|(_, pod)| is_named(pod, name)).cloned();
        events.push(("DELETED", pod.unwrap().1));
    }
}

fn is_named(pod: &Value, name: &str) -> bool {
    pod["metadata"]["name"] == name
}

/// The pods that are there.
fn present(events: &Events) -> Vec<Value> {
    let is_gone = |pod: &Value| {
        let same = |other: &Value| other["metadata"]["name"] == pod["metadata"]["name"];
        events
            .iter()
            .any(|(what, other)| *what == "DELETED" && same(other))
    };
    let added = events.iter().filter(|(what, _)| *what == "ADDED");
    let pods = added.map(|(_, pod)| pod).filter(|pod| !is_gone(pod));
    pods.cloned().collect()
}

fn answer(request: &Request, stream: &mut TcpStream, events: &Mutex<Events>) -> io::Result<()> {
    let (path, query) = request.target.split_once('?').unwrap_or_default();
    if path != "/api/v1/pods" {
        let head = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        return stream.write_all(head.as_bytes());
    }
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if !matches!(parameter("watch"), Some("true" | "1")) {
        let events = events.lock().unwrap();
        let list = json!({
            "kind": "PodList", "apiVersion": "v1",
            "metadata": {"resourceVersion": events.len().to_string()},
            "items": present(&events),
        });
        return say(stream, "application/json", &list.to_string());
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    )?;
    let mut seen = parameter("resourceVersion").and_then(|version| version.parse().ok());
    if parameter("sendInitialEvents") == Some("true") {
        let (pods, version) = {
            let events = events.lock().unwrap();
            (present(&events), events.len())
        };
        for pod in pods {
            tell(stream, "ADDED", &pod)?;
        }
        // That these were all.
        let end = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {
            "resourceVersion": version.to_string(),
            "annotations": {"k8s.io/initial-events-end": "true"},
        }});
        tell(stream, "BOOKMARK", &end)?;
        seen = Some(version);
    }
    let mut seen: usize = seen.unwrap_or_default();
    // Until the client goes.
    loop {
        let next = events.lock().unwrap().get(seen).cloned();
        match next {
            Some((what, mut pod)) => {
                seen += 1;
                pod["metadata"]["resourceVersion"] = json!(seen.to_string());
                tell(stream, what, &pod)?;
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// One event of a watch: a chunk with a line of JSON.
fn tell(stream: &mut TcpStream, what: &str, object: &Value) -> io::Result<()> {
    let line = json!({"type": what, "object": object}).to_string() + "\n";
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    stream.write_all(chunk.as_bytes())
}
