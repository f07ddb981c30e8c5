// Command sumdb is a checksum database for the modules of a folder, with a key of its own, by
// golang.org/x/mod/sumdb's server. It lies as it is told.
//
// It answers as the database itself does, and behind /sumdb/NAME/ as a Go proxy that carries it.
// /control/key is its verifier key, /control/asked the paths that it was asked for, one a line,
// /control/grow?N adds records, and /control/lie?NAME makes it lie from now on, or stop where NAME is
// "none".
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A database is two logs with one key: the one that is shown, and one that forks from it at its first
// record.
type database struct {
	tree       string
	skey, vkey string
	name       string
	log, fork  *sumdb.TestServer

	mu    sync.Mutex
	lie   string
	asked []string
	// last is what was looked up last.
	last module.Version
	// forged is the record that was put in the place of another one, and its hash.
	forged     int64
	forgedHash tlog.Hash
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where it answers")
	tree := flag.String("tree", "", "the folder of modules, as a GOPROXY has it")
	name := flag.String("name", "sum.corp.example", "its name")
	fill := flag.Int("fill", 0, "how many other records there are from the start")
	lie := flag.String("lie", "none", "how it lies from the start")
	flag.Parse()
	skey, vkey, err := note.GenerateKey(rand.Reader, *name)
	if err != nil {
		log.Fatal(err)
	}
	d := &database{tree: *tree, skey: skey, vkey: vkey, name: *name, lie: *lie}
	d.log = sumdb.NewTestServer(skey, d.gosum)
	d.fork = sumdb.NewTestServer(skey, d.gosum)
	fillUp(d.log, "fill.example/a", *fill)
	fillUp(d.fork, "fork.example/a", *fill+1)
	// Who starts it lets the system choose the port: one that was free a moment ago may be another's now.
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s.", listener.Addr())
	log.Fatal(http.Serve(listener, d))
}

// fillUp adds records that nobody asks for.
func fillUp(server *sumdb.TestServer, path string, records int) {
	for i := range records {
		m := module.Version{Path: path, Version: fmt.Sprintf("v1.0.%d", i)}
		if _, err := server.Lookup(context.Background(), m); err != nil {
			log.Fatal(err)
		}
	}
}

func (d *database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if command, ok := strings.CutPrefix(r.URL.Path, "/control/"); ok {
		d.control(w, command, r.URL.RawQuery)
		return
	}
	d.mu.Lock()
	d.asked = append(d.asked, r.URL.Path)
	lie := d.lie
	d.mu.Unlock()
	behind := "/sumdb/" + d.name
	if path, ok := strings.CutPrefix(r.URL.Path, behind); ok {
		if path == "/supported" {
			return
		}
		r.URL.Path = path
	}
	said := &honest{status: http.StatusOK, header: http.Header{}}
	sumdb.NewServer(ops{d, lie}).ServeHTTP(said, r)
	d.tell(lie, w, r, said)
}

func (d *database) control(w http.ResponseWriter, command, argument string) {
	if records, err := strconv.Atoi(argument); command == "grow" && err == nil {
		fillUp(d.log, "fill.example/b", records)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch command {
	case "key":
		fmt.Fprint(w, d.vkey)
	case "asked":
		for _, path := range d.asked {
			fmt.Fprintln(w, path)
		}
	case "lie":
		d.lie = argument
	}
}

// ops are what the server asks of the log, or of the one that is shown in its place.
type ops struct {
	d   *database
	lie string
}

func (o ops) log() *sumdb.TestServer {
	if o.lie == "fork" {
		return o.d.fork
	}
	return o.d.log
}

func (o ops) Signed(ctx context.Context) ([]byte, error) {
	signed, err := o.log().Signed(ctx)
	if err != nil || o.lie != "unauthenticated" {
		return signed, err
	}
	o.d.mu.Lock()
	last := o.d.last
	o.d.mu.Unlock()
	claims, err := honestLines(o.d.tree, last.Path, last.Version)
	if err != nil {
		return nil, err
	}
	return unauthenticated(signed, o.d.skey, claims)
}

func (o ops) ReadRecords(ctx context.Context, id, n int64) ([][]byte, error) {
	return o.log().ReadRecords(ctx, id, n)
}

func (o ops) Lookup(ctx context.Context, m module.Version) (int64, error) {
	o.d.mu.Lock()
	o.d.last = m
	o.d.mu.Unlock()
	return o.log().Lookup(ctx, m)
}

func (o ops) ReadTileData(ctx context.Context, t tlog.Tile) ([]byte, error) {
	return o.log().ReadTileData(ctx, t)
}

// gosum gives the text of a record that is not in the log yet.
func (d *database) gosum(path, version string) ([]byte, error) {
	if strings.HasPrefix(path, "fill.example/") || strings.HasPrefix(path, "fork.example/") {
		return []byte(lines(path, version, zeros)), nil
	}
	d.mu.Lock()
	lie := d.lie
	d.mu.Unlock()
	switch lie {
	case "wrong-hash":
		return []byte(lines(path, version, zeros)), nil
	case "unrelated", "unauthenticated":
		honest, err := honestLines(d.tree, path, version)
		return []byte(strings.ReplaceAll(honest, path+" ", path+"/other ")), err
	case "empty":
		return []byte("\n"), nil
	case "conflict":
		honest, err := honestLines(d.tree, path, version)
		return []byte(honest + lines(path, version, zeros)), err
	}
	honest, err := honestLines(d.tree, path, version)
	return []byte(honest), err
}

// honestLines are the lines of a go.sum for a module of the folder.
func honestLines(tree, path, version string) (string, error) {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return "", err
	}
	file := filepath.Join(tree, filepath.FromSlash(escaped), "@v", version)
	zip, err := dirhash.HashZip(file+".zip", dirhash.Hash1)
	if err != nil {
		return "", os.ErrNotExist
	}
	open := func(string) (io.ReadCloser, error) { return os.Open(file + ".mod") }
	gomod, err := dirhash.Hash1([]string{"go.mod"}, open)
	if err != nil {
		return "", os.ErrNotExist
	}
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", path, version, zip, path, version, gomod), nil
}

// lines are those with one hash for both files.
func lines(path, version, hash string) string {
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", path, version, hash, path, version, hash)
}
