//! A filter, an upstream that does what the path says, and a proxy between client and it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use envoy_wasm_serve::{AccessRecord, ModuleSource, Policy, ServeConfig, Server, Upstream};

/// Configuration `bad` is refused, with a word about it. A path that begins with `/f` is answered
/// 403, one that begins with `/t` traps, one that begins with `/w` waits for ever, one that begins with `/r` goes to `/rewritten?x`, and the
/// rest to the cluster `up`. Every request that ends adds to `ended`.
const FILTER: &str = r#"(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $set_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 65536))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $at i32)
    ;; What was handed over before is not needed any more when the space is used up.
    (if (i32.gt_u (i32.add (global.get $heap) (local.get $size)) (i32.const 262144))
      (then (global.set $heap (i32.const 65536))))
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (local.get $at))
  (func (export "proxy_abi_version_0_2_1"))
  (data (i32.const 64) "x-backend-clusterup:path/rewritten?xendedthe configuration is badno")
  (func (export "proxy_on_configure") (param $ctx i32) (param $size i32) (result i32)
    (drop (call $define (i32.const 0) (i32.const 100) (i32.const 5) (i32.const 32)))
    (drop (call $get_buffer (i32.const 7) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (if (i32.and (i32.eq (local.get $size) (i32.const 3))
                 (i32.eq (i32.load8_u (i32.load (i32.const 0))) (i32.const 98)))
      (then (drop (call $log (i32.const 4) (i32.const 105) (i32.const 24))) (return (i32.const 0))))
    (i32.const 1))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (local $second i32)
    (drop (call $get_header (i32.const 0) (i32.const 83) (i32.const 5) (i32.const 0) (i32.const 4)))
    (local.set $second (i32.load8_u offset=1 (i32.load (i32.const 0))))
    (if (i32.eq (local.get $second) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get $second) (i32.const 119)) (then (return (i32.const 1))))
    (if (i32.eq (local.get $second) (i32.const 102))
      (then (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 129) (i32.const 2)
              (i32.const 0) (i32.const 0) (i32.const -1)))
            (return (i32.const 1))))
    (if (i32.eq (local.get $second) (i32.const 114))
      (then (drop (call $set_header (i32.const 0) (i32.const 83) (i32.const 5) (i32.const 88) (i32.const 12)))))
    (drop (call $set_header (i32.const 0) (i32.const 64) (i32.const 17) (i32.const 81) (i32.const 2)))
    (i32.const 0))
  (func (export "proxy_on_log") (param i32)
    (drop (call $increment (i32.load (i32.const 32)) (i64.const 1)))))"#;

/// A running proxy, and what it has reported.
pub struct Proxy {
    pub server: Server,
    pub records: Arc<Mutex<Vec<AccessRecord>>>,
    pub lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start(upstream: SocketAddr) -> Self {
        Self::with(upstream, |_| ())
    }

    pub fn with(upstream: SocketAddr, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let mut config = config(upstream);
        let records = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (record, line) = (records.clone(), lines.clone());
        config.access_log = Some(Arc::new(move |r: &AccessRecord| {
            record.lock().unwrap().push(r.clone());
        }));
        config.log = Some(Arc::new(move |_, l: &str| {
            line.lock().unwrap().push(l.to_owned())
        }));
        change(&mut config);
        Self {
            server: Server::start(config).unwrap(),
            records,
            lines,
        }
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.server.address())
    }

    /// Sends these bytes on a connection of their own and gives all that comes back until it ends.
    pub fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        read_to_end(&mut stream)
    }

    /// A GET, after which the connection ends.
    pub fn get(&self, path: &str) -> String {
        self.exchange(&format!(
            "GET {path} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Waits for a line of the log that contains this.
    pub fn wait_for_line(&self, text: &str) {
        wait_until(&format!("no line with `{text}`"), || {
            self.lines
                .lock()
                .unwrap()
                .iter()
                .any(|line| line.contains(text))
        });
    }

    pub fn wait_for_records(&self, count: usize) -> Vec<AccessRecord> {
        wait_until("too few requests have ended", || {
            self.records.lock().unwrap().len() >= count
        });
        self.records.lock().unwrap().clone()
    }
}

pub fn config(upstream: SocketAddr) -> ServeConfig {
    let filter = ModuleSource::Bytes(wat::parse_str(FILTER).unwrap());
    let upstream = Upstream::new("up", &format!("http://{upstream}")).unwrap();
    let mut config = ServeConfig::new(filter, Policy::Fixed(b"good".to_vec()), vec![upstream]);
    config.conventions.cluster_header = Some("x-backend-cluster".to_owned());
    config.policy_poll = Duration::from_millis(10);
    config
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

pub fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset ends what is read.
    _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until this has come.
pub fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !String::from_utf8_lossy(&bytes).ends_with(text) {
        if stream.read(&mut one).unwrap() == 0 {
            panic!("ended before `{text}`: {}", String::from_utf8_lossy(&bytes));
        }
        bytes.push(one[0]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub fn wait_until(complaint: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < limit, "{complaint}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An upstream on plain TCP: each connection is handed to this function on a thread of its own.
pub fn upstream(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    address
}

/// An upstream that answers each request with its head as the body, and then closes.
pub fn echo() -> SocketAddr {
    upstream(|mut stream| {
        let head = read_until(&mut stream, "\r\n\r\n");
        let length = head.len();
        _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{head}"
        );
    })
}

/// An address at which nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
