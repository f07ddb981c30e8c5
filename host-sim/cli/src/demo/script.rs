//! What the demonstration tries, and what has to come of it.

/// One `go` command of one tenant.
#[derive(Debug)]
pub(super) struct Step {
    /// What it shows, one line.
    pub(super) title: &'static str,
    /// Who runs it.
    pub(super) tenant: &'static str,
    /// What stands in the tenant's `GOPROXY` behind the tenant; empty, or with a leading slash.
    pub(super) prefix: &'static str,
    /// The arguments of `go`.
    pub(super) arguments: &'static [&'static str],
    /// The request of that command on which all hangs, behind tenant and prefix, as `go` writes it.
    pub(super) request: &'static str,
    /// What has to come of it.
    pub(super) expected: Expected,
}

/// What has to come of a step.
#[derive(Debug)]
pub(super) enum Expected {
    /// `go` ends well and says this, and the backend of this name got the request.
    Served {
        /// A part of `go`'s output.
        says: &'static str,
        /// The backend's name.
        by: &'static str,
    },
    /// `go` fails, says this, and no backend got the request.
    Denied {
        /// A part of `go`'s output.
        says: &'static str,
    },
}

impl Step {
    /// The path of the tenant's `GOPROXY`.
    pub(super) fn base(&self) -> String {
        format!("/t/{}{}", self.tenant, self.prefix)
    }

    /// The path of the request on which all hangs.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.base(), self.request)
    }

    /// What is requested: the last of the arguments.
    pub(super) fn wanted(&self) -> &'static str {
        self.arguments.last().copied().unwrap_or_default()
    }
}

pub(super) const STEPS: &[Step] = &[
    Step {
        title: "web fetches a public module and its dependency",
        tenant: "web",
        prefix: "",
        arguments: &["get", "example.org/clock@v1.1.1"],
        request: "/example.org/clock/@v/v1.1.1.zip",
        expected: Expected::Served {
            says: "added example.org/clock v1.1.1",
            by: "public",
        },
    },
    Step {
        title: "contractors mistype its name, and the policy denies the typo",
        tenant: "contractors",
        prefix: "",
        arguments: &["get", "example.org/w0rds@v0.3.0"],
        request: "/example.org/w0rds/@v/v0.3.0.info",
        expected: Expected::Denied {
            says: "rule: org/typosquat",
        },
    },
    Step {
        title: "payments fetches its own module: the policy routes it to the private proxy",
        tenant: "payments",
        prefix: "/go.dev/v1",
        arguments: &["get", "corp.example/ledger@v1.3.0"],
        request: "/corp.example/ledger/@v/v1.3.0.zip",
        expected: Expected::Served {
            says: "added corp.example/ledger v1.3.0",
            by: "private",
        },
    },
    Step {
        title: "web lists the versions of a module",
        tenant: "web",
        prefix: "",
        arguments: &["list", "-m", "-versions", "example.org/words"],
        request: "/example.org/words/@v/list",
        expected: Expected::Served {
            says: "v0.1.0 v0.2.0 v0.3.0",
            by: "public",
        },
    },
];
