// Command xmod answers, for each line of JSON on its standard input, what golang.org/x/mod makes of
// it, and of a received request what net/http makes of it first: the judge of Modgate's own reading of
// requests, paths, versions, patterns and tiles, and of what a checksum database says.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
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
	case "gosum":
		return goSum(q.A)
	case "pattern":
		return answer{OK: module.MatchPrefixPatterns(q.A, q.B)}
	case "compare":
		return answer{true, strconv.Itoa(semver.Compare(q.A, q.B))}
	case "pseudo":
		return answer{OK: module.IsPseudoVersion(q.A)}
	case "within":
		return answer{OK: within(q.A, q.B)}
	case "retract":
		return retract(q.A)
	case "received":
		return received(q.A, q.B)
	case "tile":
		return answer{OK: isWanted(q.A)}
	case "verifier":
		return verifier(q.A)
	case "signed":
		return signed(q.A, q.B)
	case "note":
		return opened(q.A, q.B)
	case "head":
		return head(q.A)
	case "record":
		return record(q.A)
	case "root":
		return root(q.A)
	case "piece":
		return piece(q.A)
	}
	log.Fatalf("unknown kind %q", q.Kind)
	return answer{}
}

// within tells whether a version meets a constraint of alternatives (||) of conditions (spaces). The
// constraint is good; what it means is what go's own version queries mean by < and their like.
func within(constraint, version string) bool {
	for _, alternative := range strings.Split(constraint, "||") {
		meets := true
		for _, condition := range strings.Fields(alternative) {
			named := strings.TrimLeft(condition, "<>=!")
			order := semver.Compare(version, named)
			switch strings.TrimSuffix(condition, named) {
			case "<":
				meets = meets && order < 0
			case "<=":
				meets = meets && order <= 0
			case ">":
				meets = meets && order > 0
			case ">=":
				meets = meets && order >= 0
			case "!=":
				meets = meets && order != 0
			case "=":
				meets = meets && order == 0
			case "":
				// The beginning of a version means all that begin so.
				if strings.Count(named, ".") < 2 {
					meets = meets && strings.HasPrefix(semver.Canonical(version), named+".")
				} else {
					meets = meets && order == 0
				}
			}
		}
		if meets {
			return true
		}
	}
	return false
}

// retract gives the retractions of a go.mod as the go command reads those of a dependency.
func retract(gomod string) answer {
	file, err := modfile.ParseLax("go.mod", []byte(gomod), nil)
	if err != nil {
		return answer{}
	}
	var intervals []string
	for _, r := range file.Retract {
		intervals = append(intervals, r.Low+" "+r.High)
	}
	return answer{true, strings.Join(intervals, "\n")}
}

// received reads a request's bytes (base64) as a Go proxy behind this path prefix would: with net/http,
// then as the GOPROXY protocol. The value is the method, the target in the one form in which go would
// send it, and the module, empty for what names none.
func received(raw, prefix string) answer {
	bytes, err := base64.StdEncoding.DecodeString(raw)
	if err != nil {
		log.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(bytes))))
	if err != nil {
		return answer{Value: err.Error()}
	}
	path, ok := strings.CutPrefix(r.URL.Path, prefix)
	if !ok || r.URL.RawQuery != "" || r.URL.Host != "" {
		return answer{Value: "not below " + prefix}
	}
	module, canonical, err := decode(strings.TrimPrefix(path, "/"))
	if err != nil {
		return answer{Value: err.Error()}
	}
	return answer{true, r.Method + " " + prefix + "/" + canonical + " " + module}
}

// decode gives the module that a path asks for, and the path as go writes it.
func decode(path string) (string, string, error) {
	if rest, ok := strings.CutPrefix(path, "sumdb/"); ok {
		name, found, ok := strings.Cut(rest, "/lookup/")
		if !ok {
			return "", path, nil
		}
		escaped, version, _ := strings.Cut(found, "@")
		mod, err := module.UnescapePath(escaped)
		if err != nil {
			return "", "", err
		}
		if _, err := module.UnescapeVersion(version); err != nil {
			return "", "", err
		}
		return mod, "sumdb/" + name + "/lookup/" + inURL(escaped) + "@" + inURL(version), nil
	}
	if escaped, ok := strings.CutSuffix(path, "/@latest"); ok {
		mod, err := module.UnescapePath(escaped)
		return mod, inURL(escaped) + "/@latest", err
	}
	escaped, file, ok := strings.Cut(path, "/@v/")
	if !ok {
		return "", "", errors.New("no endpoint")
	}
	mod, err := module.UnescapePath(escaped)
	if err != nil || file == "list" {
		return mod, inURL(escaped) + "/@v/" + file, err
	}
	dot := strings.LastIndex(file, ".")
	if dot < 0 {
		return "", "", errors.New("no extension")
	}
	_, err = module.UnescapeVersion(file[:dot])
	return mod, inURL(escaped) + "/@v/" + inURL(file[:dot]) + file[dot:], err
}

// inURL is what the go command does to an escaped name before it goes into a URL
// (cmd/go/internal/modfetch, pathEscape).
func inURL(escaped string) string {
	return strings.ReplaceAll(url.PathEscape(escaped), "%2F", "/")
}

// goSum is what cmd/go's modfetch.readGoSum makes of a go.sum, as sorted lines; not OK with the number
// of the line at which it gives up.
func goSum(data string) answer {
	const emptyGoModHash = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="
	seen := map[string]bool{}
	lineno := 0
	for len(data) > 0 {
		var line string
		lineno++
		line, data, _ = strings.Cut(data, "\n")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 {
			return answer{Value: strconv.Itoa(lineno)}
		}
		if f[2] == emptyGoModHash {
			continue
		}
		seen[strings.Join(f, " ")] = true
	}
	lines := slices.Sorted(maps.Keys(seen))
	return answer{true, strings.Join(lines, "\n")}
}
