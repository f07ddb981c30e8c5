// Command xmod answers, for each line of JSON on its standard input, what golang.org/x/mod makes of
// it: the judge of Modgate's own reading of paths, versions, patterns and tiles.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net/url"
	"os"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/tlog"
)

// A question is a kind and its one or two arguments.
type question struct {
	Kind string
	A, B string
}

// An answer tells whether the input is accepted, and what it is read as.
type answer struct {
	OK    bool
	Value string
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	enc := json.NewEncoder(out)
	for in.More() {
		var q question
		if err := in.Decode(&q); err != nil {
			log.Fatal(err)
		}
		if err := enc.Encode(ask(q)); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func ask(q question) answer {
	switch q.Kind {
	case "path":
		path, err := module.UnescapePath(q.A)
		if err != nil {
			return answer{}
		}
		escaped, err := module.EscapePath(path)
		if err != nil {
			log.Fatalf("%q was accepted and cannot be escaped: %v", q.A, err)
		}
		return answer{true, path + " " + inURL(escaped)}
	case "version":
		version, err := module.UnescapeVersion(q.A)
		if err != nil {
			return answer{}
		}
		escaped, err := module.EscapeVersion(version)
		if err != nil {
			log.Fatalf("%q was accepted and cannot be escaped: %v", q.A, err)
		}
		return answer{true, version + " " + inURL(escaped)}
	case "canonical":
		ok := semver.IsValid(q.B) && module.CanonicalVersion(q.B) == q.B && module.Check(q.A, q.B) == nil
		return answer{OK: ok}
	case "pattern":
		return answer{OK: module.MatchPrefixPatterns(q.A, q.B)}
	case "tile":
		_, err := tlog.ParseTilePath(q.A)
		return answer{OK: err == nil}
	}
	log.Fatalf("unknown kind %q", q.Kind)
	return answer{}
}

// inURL is what the go command does to an escaped name before it goes into a URL
// (cmd/go/internal/modfetch, pathEscape).
func inURL(escaped string) string {
	return strings.ReplaceAll(url.PathEscape(escaped), "%2F", "/")
}
