//! What of Envoy's configuration concerns a filter, wherever in a bootstrap, a file of resources or a
//! `/config_dump` it stands.

use serde_json::Value;

use super::at::At;

const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP_PROXY: &str = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// All of that in all files.
#[derive(Debug, Default)]
pub(super) struct Parts<'v> {
    pub(super) files: Vec<At<'v>>,
    pub(super) managers: Vec<Manager<'v>>,
    /// Filters that hand all of a connection on, with what they are configured with.
    pub(super) tcp_proxies: Vec<At<'v>>,
    pub(super) clusters: Vec<At<'v>>,
    /// The configurations of Modgate's filter (`config` of its type).
    pub(super) plugins: Vec<At<'v>>,
}

/// A connection manager with what belongs to it.
#[derive(Debug)]
pub(super) struct Manager<'v> {
    pub(super) at: At<'v>,
    pub(super) listener: At<'v>,
    pub(super) chain: At<'v>,
    pub(super) filters: Vec<At<'v>>,
    /// The places of Modgate's filter among them.
    pub(super) ours: Vec<usize>,
    /// Its routes, where they are in one of the files.
    pub(super) routes: Option<At<'v>>,
}

/// A filter that may be Modgate's.
struct Candidate<'v> {
    plugin: Option<At<'v>>,
    name: &'v str,
}

impl<'v> Parts<'v> {
    pub(super) fn of(values: &'v [Value]) -> Self {
        let files: Vec<At<'v>> = values
            .iter()
            .enumerate()
            .map(|(file, value)| At::root(file, value))
            .collect();
        let mut parts = Self {
            clusters: files.iter().flat_map(clusters).collect(),
            ..Self::default()
        };
        let tables: Vec<At<'v>> = files.iter().flat_map(route_tables).collect();
        let of_files: Vec<Candidate<'v>> = files.iter().flat_map(plugins_of_file).collect();
        let listeners: Vec<At<'v>> = files.iter().flat_map(listeners).collect();
        for listener in &listeners {
            parts.add_listener(listener, &tables);
        }
        let inline = parts.managers.iter().flat_map(|manager| &manager.filters);
        let inline: Vec<Candidate<'v>> = inline.filter_map(wasm).collect();
        let all = || of_files.iter().chain(&inline);
        // By its name; where nothing is named so, the only one there is.
        let is_named = all().any(Candidate::is_ours);
        let is_ours = |candidate: &Candidate<'v>| !is_named || candidate.is_ours();
        let names: Vec<&str> = all().filter(|c| is_ours(c)).map(|c| c.name).collect();
        for manager in &mut parts.managers {
            let ours = manager.filters.iter().enumerate().filter(|(_, filter)| {
                wasm(filter).is_some_and(|found| is_ours(&found) || names.contains(&found.name))
            });
            manager.ours = ours.map(|(place, _)| place).collect();
        }
        parts.plugins = all()
            .filter(|candidate| is_ours(candidate))
            .filter_map(|candidate| candidate.plugin.clone())
            .collect();
        parts.files = files;
        parts
    }

    /// Whether a file has anything that is looked at.
    pub(super) fn has(&self, file: usize) -> bool {
        let managers = self.managers.iter().map(|manager| &manager.at);
        let mut all = managers.chain(&self.clusters).chain(&self.plugins);
        all.any(|at| at.file == file)
            || self
                .files
                .get(file)
                .is_some_and(|at| !route_tables(at).is_empty())
    }

    fn add_listener(&mut self, listener: &At<'v>, tables: &[At<'v>]) {
        let default = listener.get("default_filter_chain");
        for chain in listener.list("filter_chains").into_iter().chain(default) {
            for filter in chain.list("filters") {
                let typed = filter.get("typed_config");
                match typed.as_ref().and_then(At::typed) {
                    Some((MANAGER, at)) => self.managers.push(Manager {
                        filters: at.list("http_filters"),
                        ours: Vec::new(),
                        routes: routes(&at, tables),
                        at,
                        listener: listener.clone(),
                        chain: chain.clone(),
                    }),
                    Some((TCP_PROXY, at)) => self.tcp_proxies.push(at),
                    _ => {}
                }
            }
        }
    }
}

impl Manager<'_> {
    /// Whether Modgate's filter is in its chain.
    pub(super) fn is_filtered(&self) -> bool {
        !self.ours.is_empty()
    }
}

impl Candidate<'_> {
    fn is_ours(&self) -> bool {
        let is_named = |text: &str| text.to_ascii_lowercase().contains("modgate");
        let plugin = self.plugin.as_ref();
        let texts = [
            plugin.and_then(|at| at.text("name")),
            plugin.and_then(|at| at.text("root_id")),
            plugin.and_then(|at| at.find(&["vm_config", "code", "local"])?.text("filename")),
            Some(self.name),
        ];
        texts.into_iter().flatten().any(is_named)
    }
}

/// A filter of a chain that is WebAssembly.
fn wasm<'v>(filter: &At<'v>) -> Option<Candidate<'v>> {
    let name = filter.text("name").unwrap_or_default();
    if let Some(discovery) = filter.get("config_discovery") {
        let mut kinds = discovery.list("type_urls").into_iter();
        let is_wasm = kinds.any(|kind| kind.value.as_str().is_some_and(|url| url.ends_with(WASM)));
        return is_wasm.then_some(Candidate { plugin: None, name });
    }
    let (kind, at) = filter.get("typed_config")?.typed()?;
    let plugin = at.get("config");
    (kind == WASM).then_some(Candidate { plugin, name })
}

/// The filters that a file hands over by themselves (extension config discovery).
fn plugins_of_file<'v>(file: &At<'v>) -> Vec<Candidate<'v>> {
    let resources = resources(file, "core.v3.TypedExtensionConfig");
    let of_dump = file.list("configs").into_iter();
    let of_dump = of_dump.flat_map(|config| config.list("ecds_filters"));
    let of_dump = of_dump.filter_map(|entry| entry.get("ecds_filter"));
    resources
        .into_iter()
        .chain(of_dump)
        .filter_map(|resource| wasm(&resource))
        .collect()
}

fn listeners<'v>(file: &At<'v>) -> Vec<At<'v>> {
    let mut found = resources(file, "listener.v3.Listener");
    found.extend(
        file.find(&["static_resources"])
            .into_iter()
            .flat_map(|r| r.list("listeners")),
    );
    for config in file.list("configs") {
        let fixed = config.list("static_listeners").into_iter();
        found.extend(fixed.filter_map(|entry| entry.get("listener")));
        let active = config.list("dynamic_listeners").into_iter();
        found.extend(active.filter_map(|entry| entry.find(&["active_state", "listener"])));
    }
    found
}

fn clusters<'v>(file: &At<'v>) -> Vec<At<'v>> {
    let mut found = resources(file, "cluster.v3.Cluster");
    found.extend(
        file.find(&["static_resources"])
            .into_iter()
            .flat_map(|r| r.list("clusters")),
    );
    found.extend(file.list("clusters"));
    for config in file.list("configs") {
        for kind in ["static_clusters", "dynamic_active_clusters"] {
            let entries = config.list(kind).into_iter();
            found.extend(entries.filter_map(|entry| entry.get("cluster")));
        }
    }
    found
}

fn route_tables<'v>(file: &At<'v>) -> Vec<At<'v>> {
    let mut found = resources(file, "route.v3.RouteConfiguration");
    // What `modgate envoy-routes` prints.
    found.extend(file.get("route_config"));
    for config in file.list("configs") {
        for kind in ["static_route_configs", "dynamic_route_configs"] {
            let entries = config.list(kind).into_iter();
            found.extend(entries.filter_map(|entry| entry.get("route_config")));
        }
    }
    found
}

/// A connection manager's own routes, or those of another file that it asks for by name.
fn routes<'v>(manager: &At<'v>, tables: &[At<'v>]) -> Option<At<'v>> {
    let name = manager
        .get("rds")
        .and_then(|rds| rds.text("route_config_name"));
    let of_name = || {
        tables
            .iter()
            .find(|table| table.text("name") == name)
            .cloned()
    };
    manager.get("route_config").or_else(of_name)
}

fn resources<'v>(file: &At<'v>, kind: &str) -> Vec<At<'v>> {
    let typed = file.list("resources").into_iter();
    typed
        .filter(|resource| {
            let of_type = resource.typed().map(|(kind, _)| kind);
            of_type.is_some_and(|found| found.ends_with(kind))
        })
        .collect()
}
