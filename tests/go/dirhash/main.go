// Command dirhash answers, for each line of JSON on its standard input, what golang.org/x/mod makes
// of a module's zip: the judge of Modgate's own hashing.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// A question is a kind and its arguments.
type question struct {
	// Kind is zip, mod, files, bench or runes.
	Kind string
	// File is the zip or go.mod.
	File string
	// Path and Version are the module's.
	Path, Version string
	// Names are of files, for kind files.
	Names []string
	// Times is how often a zip is hashed, for kind bench.
	Times int
}

// An answer has what the question's kind asks for.
type answer struct {
	// H1 is the hash, or empty with the reason in HashError.
	H1, HashError string
	// CheckError is why zip.CheckZip refuses the zip, or empty.
	CheckError string
	// OK tells for each name whether it may be a file's.
	OK []bool
	// Nanoseconds is how long hashing took, for all times together.
	Nanoseconds int64
	// Letters and Assigned are runes as ranges, first and last; Folds are pairs of a rune and the
	// least that it folds to, where that is another.
	Letters, Assigned, Folds [][2]rune
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	enc := json.NewEncoder(os.Stdout)
	for {
		var q question
		if err := in.Decode(&q); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := enc.Encode(ask(q)); err != nil {
			log.Fatal(err)
		}
	}
}

func ask(q question) (a answer) {
	switch q.Kind {
	case "zip":
		var err error
		if a.H1, err = dirhash.HashZip(q.File, dirhash.Hash1); err != nil {
			a.HashError = err.Error()
		}
		if _, err := zip.CheckZip(module.Version{Path: q.Path, Version: q.Version}, q.File); err != nil {
			a.CheckError = err.Error()
		}
	case "mod":
		var err error
		open := func(string) (io.ReadCloser, error) { return os.Open(q.File) }
		if a.H1, err = dirhash.Hash1([]string{"go.mod"}, open); err != nil {
			a.HashError = err.Error()
		}
	case "files":
		for _, name := range q.Names {
			a.OK = append(a.OK, module.CheckFilePath(name) == nil)
		}
	case "bench":
		start := time.Now()
		for range q.Times {
			if _, err := dirhash.HashZip(q.File, dirhash.Hash1); err != nil {
				log.Fatal(err)
			}
		}
		a.Nanoseconds = time.Since(start).Nanoseconds()
	case "runes":
		runes(&a)
	default:
		log.Fatalf("unknown kind %q", q.Kind)
	}
	return a
}

func runes(a *answer) {
	assigned := make([]*unicode.RangeTable, 0, len(unicode.Categories))
	for name, table := range unicode.Categories {
		if !strings.HasPrefix(name, "C") || name == "Cc" || name == "Cf" {
			assigned = append(assigned, table)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.IsLetter(r) {
			extend(&a.Letters, r)
		}
		if unicode.In(r, assigned...) {
			extend(&a.Assigned, r)
		}
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		if least != r {
			a.Folds = append(a.Folds, [2]rune{r, least})
		}
	}
}

func extend(ranges *[][2]rune, r rune) {
	if last := len(*ranges) - 1; last >= 0 && (*ranges)[last][1] == r-1 {
		(*ranges)[last][1] = r
		return
	}
	*ranges = append(*ranges, [2]rune{r, r})
}
