//! The modules of the demonstration: small, invented, and every one builds. None imports anything of
//! the standard library, so that nothing but themselves is compiled.

use super::Module;

/// What a public proxy has: releases and a prerelease, a second major version, upper case in a path,
/// a retraction, a module that needs another, and a name that is meant to be mistaken.
pub fn public() -> Vec<Module> {
    let words = |version: &str, greeting: &str| {
        Module::new("example.org/words", version)
            .file("words.go", words_source(greeting))
            .file("plural/plural.go", PLURAL)
    };
    vec![
        words("v0.1.0", "hello"),
        words("v0.2.0", "hello, world"),
        words("v0.3.0", "good day"),
        words("v0.4.0-beta.1", "greetings"),
        Module::new("example.org/words/v2", "v2.0.0")
            .file("words.go", words_source("welcome"))
            .file("plural/plural.go", PLURAL),
        Module::new("example.org/clock", "v1.0.0").file("clock.go", "package clock\n"),
        Module::new("example.org/clock", "v1.1.0").file("clock.go", "package clock\n"),
        Module::new("example.org/clock", "v1.1.1")
            .file("clock.go", CLOCK)
            .requires("example.org/words", "v0.3.0")
            .retracts("v1.1.0", "runs backwards"),
        Module::new("hosting.example/BurntToast/Slices", "v0.1.0").file("slices.go", SLICES),
        Module::new("example.org/w0rds", "v0.3.0").file("words.go", words_source("gotcha")),
    ]
}

/// What a company has for itself: one module that needs the other.
pub fn private() -> Vec<Module> {
    let ledger = |version: &str| {
        Module::new("corp.example/ledger", version)
            .file("ledger.go", LEDGER)
            .file("audit/audit.go", "package audit\n\nconst Passed = true\n")
            .requires("corp.example/money", "v1.0.0")
    };
    vec![
        Module::new("corp.example/money", "v1.0.0").file("money.go", MONEY),
        ledger("v1.2.0"),
        ledger("v1.3.0"),
    ]
}

fn words_source(greeting: &str) -> String {
    format!(
        "// Package words greets.\npackage words\n\n\
         // Greeting is what it says.\nconst Greeting = \"{greeting}\"\n"
    )
}

const PLURAL: &str = "// Package plural counts more than one.
package plural

// Of gives the plural of a word.
func Of(word string) string { return word + \"s\" }
";

const CLOCK: &str = "// Package clock tells the time of day in words.
package clock

import (
	\"example.org/words\"
	\"example.org/words/plural\"
)

// Say tells an hour.
func Say(hour string) string { return words.Greeting + \": \" + plural.Of(hour) }
";

const SLICES: &str = "// Package slices has slices of toast.
package slices

// Burnt is how they are.
const Burnt = true
";

const MONEY: &str = "// Package money counts in cents.
package money

// Cents is an amount.
type Cents int64
";

const LEDGER: &str = "// Package ledger adds up.
package ledger

import \"corp.example/money\"

// Sum adds amounts.
func Sum(amounts ...money.Cents) (total money.Cents) {
	for _, amount := range amounts {
		total += amount
	}
	return total
}
";
