//! Where the filter's module is.

use std::path::{Path, PathBuf};

/// The variable that names the module where the flag does not.
const VARIABLE: &str = "MODGATE_WASM";
const FILE_NAME: &str = "modgate.wasm";

/// The module: the flag's, else the environment's, else the one beside the executable.
///
/// # Errors
/// One sentence that says where it was looked for.
pub(super) fn find(flag: Option<PathBuf>) -> Result<PathBuf, String> {
    let named = flag.map(|path| (path, "--wasm")).or_else(|| {
        let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
        Some((path.into(), VARIABLE))
    });
    if let Some((path, by)) = named {
        return present(&path).then_some(path.clone()).ok_or_else(|| {
            format!(
                "the filter's module {}, which {by} names, does not exist",
                path.display()
            )
        });
    }
    let executable = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = executable.with_file_name(FILE_NAME);
    if present(&beside) {
        return Ok(beside);
    }
    Err(format!(
        "the filter's module was not found: --wasm is not given, {VARIABLE} is not set, and {} does not exist; build it with `make build`",
        beside.display()
    ))
}

/// Where compiled modules are kept for the next start: in the user's own cache, where there is one
/// that can be used. Without it a start takes a second longer, and nothing else.
pub(super) fn cache() -> Option<PathBuf> {
    let absolute = |name| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    let ours = caches.join("modgate");
    std::fs::create_dir_all(&ours).ok()?;
    Some(ours)
}

fn present(path: &Path) -> bool {
    path.is_file()
}
