//! VMs that fail, and modules that cannot be used.

use std::time::Duration;

use super::support::{Host, PRELUDE, Setup, assemble, engine, guest};
use envoy_wasm_host::{
    Budget, Downstream, Engine, EngineOptions, FailPolicy, Module, ModuleError, PluginConfig,
    Proxy, ProxyConfig, StartError, VmConfig, Worker,
};

/// Fails where the path is `/bad`.
const TRAP: &str = r#"
  (data (i32.const 64) ":path")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $get_header (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0) (i32.const 4)))
    (if (i32.eq (i32.load (i32.const 4)) (i32.const 4)) (then unreachable))
    (i32.const 0))
  (func (export "proxy_on_log") (param i32) (call $digits (i32.const 1)))"#;

#[test]
fn a_trap_answers_503_and_so_does_every_later_request() {
    let mut host = Host::new(&guest(TRAP));
    let running = host.get("/");
    host.take();
    host.get("/bad");
    let story = host.story();
    assert!(
        story[0].contains("proxy_on_request_headers failed"),
        "{story:?}"
    );
    assert_eq!(story[1..], ["client: 503 end", "ended wasm_fail_stream"]);
    let failure = host.worker.failure().unwrap();
    assert!(failure.reason.contains("unreachable"), "{failure}");
    host.get("/");
    assert_eq!(host.story(), ["client: 503 end", "ended wasm_fail_stream"]);
    // A response that is under way is replaced as long as its headers are not out.
    host.respond(running, &[(":status", "200")], true);
    assert_eq!(host.story(), ["client: 503 end", "ended wasm_fail_stream"]);
}

#[test]
fn where_the_policy_is_open_later_requests_pass() {
    let mut setup = Setup::default();
    setup.vm.fail_policy = FailPolicy::Open;
    let mut host = setup.start(&guest(TRAP));
    host.get("/bad");
    assert_eq!(
        host.story()[1..],
        ["client: 503 end", "ended wasm_fail_stream"]
    );
    let stream = host.get("/");
    host.respond(stream, &[(":status", "200")], true);
    assert_eq!(
        host.story(),
        ["to up: / end", "client: 200 end", "ended via_upstream"]
    );
}

#[test]
fn what_the_vm_had_begun_with_fails_where_the_policy_is_open_too() {
    let mut setup = Setup::default();
    setup.vm.fail_policy = FailPolicy::Open;
    let mut host = setup.start(&guest(TRAP));
    let running = host.get("/");
    host.get("/bad");
    host.take();
    host.respond(running, &[(":status", "200")], true);
    assert_eq!(host.story(), ["client: 503 end", "ended wasm_fail_stream"]);
}

#[test]
fn a_trap_once_the_headers_are_out_closes_the_stream() {
    let binary = guest(
        r#"(func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) unreachable)"#,
    );
    let mut host = Host::new(&binary);
    let stream = host.get("/");
    host.respond(stream, &[(":status", "200")], false);
    host.take();
    host.response_body(stream, "a", false);
    assert_eq!(host.story()[1..], ["reset", "ended wasm_fail_stream"]);
}

const LOOP: &str = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (loop $again (br $again)) (i32.const 0))"#;

#[test]
fn a_guest_that_loops_for_ever_is_stopped() {
    let mut setup = Setup::default();
    setup.vm.budget = Budget::Time(Duration::from_millis(100));
    let mut host = setup.start(&guest(LOOP));
    host.get("/");
    let failure = host.worker.failure().unwrap();
    assert_eq!(failure.reason, "it ran for longer than 100 ms");
}

#[test]
fn fuel_is_a_budget_that_is_the_same_on_every_run() {
    let engine = Engine::new(&EngineOptions {
        fuel: true,
        cache: None,
    })
    .unwrap();
    let module = Module::new(&engine, &guest(LOOP)).unwrap();
    let config = VmConfig {
        budget: Budget::Fuel(10_000),
        ..VmConfig::default()
    };
    let proxy = Proxy::new(ProxyConfig::default());
    let mut worker = Worker::new(&module, config.clone(), proxy.clone()).unwrap();
    let root = worker.start_plugin(PluginConfig::default()).unwrap();
    let stream = worker.create_stream(root, Downstream::default());
    worker.request_headers(stream, envoy_wasm_host::http::Headers::new(), true);
    let failure = worker.failure().unwrap();
    assert_eq!(failure.reason, "it used more than 10000 units of fuel");
    let plain = Module::new(&super::support::engine(), &guest(LOOP)).unwrap();
    let error = Worker::new(&plain, config, proxy).unwrap_err();
    assert!(matches!(error, StartError::NoFuel));
}

#[test]
fn memory_has_a_limit() {
    let binary = guest(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $digits (i32.eq (memory.grow (i32.const 100)) (i32.const -1)))
          (i32.const 0))"#,
    );
    let mut setup = Setup::default();
    setup.vm.memory_limit = 64 * 65536;
    let mut host = setup.start(&binary);
    host.get("/");
    assert_eq!(host.lines(), ["01"]);
}

fn start(binary: &[u8]) -> Result<Worker, StartError> {
    let module = Module::new(&engine(), binary).map_err(StartError::Module)?;
    Worker::new(
        &module,
        VmConfig::default(),
        Proxy::new(ProxyConfig::default()),
    )
}

#[test]
fn a_module_that_cannot_be_used_is_refused_with_its_reason() {
    let says = |binary: &[u8]| start(binary).unwrap_err().to_string();
    assert!(says(b"not wasm").starts_with("the module is not valid WebAssembly"));
    assert!(says(&assemble("(module)")).contains("proxy_abi_version_0_2_1"));
    let abi = r#"(func (export "proxy_abi_version_0_2_1"))"#;
    let unknown = format!(r#"(module (import "env" "proxy_unknown" (func)) {abi})"#);
    assert_eq!(
        says(&assemble(&unknown)),
        "the module imports `proxy_unknown` from `env`, which this host does not have"
    );
    assert!(says(&assemble(&format!("(module {abi})"))).contains("no memory"));
    let no_allocator = format!(r#"(module (memory (export "memory") 1) {abi})"#);
    assert!(says(&assemble(&no_allocator)).contains("malloc"));
    let wrong = format!(r#"(module {PRELUDE} {abi} (func (export "proxy_on_tick")))"#);
    assert!(says(&assemble(&wrong)).contains("proxy_on_tick"));
    let trap = format!(r#"(module {PRELUDE} {abi} (func (export "_initialize") unreachable))"#);
    assert!(says(&assemble(&trap)).contains("unreachable"));
    let trap = format!("(module {PRELUDE} {abi} (func $s unreachable) (start $s))");
    assert!(says(&assemble(&trap)).contains("its start section"));
    let missing = Module::from_file(&engine(), "/nowhere.wasm".as_ref()).unwrap_err();
    assert!(matches!(missing, ModuleError::Read { .. }));
}

#[test]
fn a_plugin_may_refuse_to_start_or_its_configuration() {
    let refuse = |export: &str| {
        let binary = guest(&format!(
            "(func (export \"{export}\") (param i32 i32) (result i32) (i32.const 0))"
        ));
        let mut worker = start(&binary).unwrap();
        let error = worker.start_plugin(PluginConfig::default()).unwrap_err();
        (error, worker)
    };
    assert!(matches!(refuse("proxy_on_vm_start").0, StartError::Refused));
    let (error, worker) = refuse("proxy_on_configure");
    assert!(matches!(error, StartError::ConfigurationRefused));
    // The VM is none the worse for it.
    assert!(worker.failure().is_none());
}
