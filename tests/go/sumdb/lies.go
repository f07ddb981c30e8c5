package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// zeros is the hash that lies give: that of nothing.
const zeros = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

// honest is an answer that was recorded before it is told.
type honest struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (h *honest) Header() http.Header         { return h.header }
func (h *honest) WriteHeader(status int)      { h.status = status }
func (h *honest) Write(b []byte) (int, error) { return h.body.Write(b) }

// tell answers a request of the database as the lie wants it, from the honest answer.
func (d *database) tell(lie string, w http.ResponseWriter, r *http.Request, said *honest) {
	isTile := strings.HasPrefix(r.URL.Path, "/tile/")
	body := said.body.Bytes()
	switch lie {
	case "bad-signature":
		body = mend(isTile, body, func(sig []byte) { sig[10] ^= 1 })
	case "foreign-key":
		body = mend(isTile, body, func(sig []byte) { sig[0] ^= 1 })
	case "swapped-record":
		// The record of a log that nobody else sees, and the tile that goes with it.
		body = d.swapped(r.URL.Path, body)
	case "forged-tile":
		if isTile {
			body[0] ^= 1
		}
	case "wide-tile":
		if isTile {
			body = append(body, body[:tlog.HashSize]...)
		}
	case "short-tile":
		if isTile {
			body = body[:len(body)-tlog.HashSize]
		}
	case "no-partial-tiles":
		if isTile && strings.Contains(r.URL.Path, ".p/") {
			http.Error(w, "gone", http.StatusGone)
			return
		}
	case "no-tiles":
		if isTile {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
	case "html":
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html>\n<body>please log in</body>\n\n</html>\n"))
		return
	case "large":
		w.Write(bytes.Repeat([]byte("0\n"), 1<<20))
		return
	case "not-found":
		http.NotFound(w, r)
		return
	case "gone":
		http.Error(w, "gone", http.StatusGone)
		return
	case "error":
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	case "no-content":
		w.WriteHeader(http.StatusNoContent)
		return
	case "cut":
		w.Header().Set("Content-Length", "100000")
		w.Write(body)
		panic(http.ErrAbortHandler)
	case "silence":
		<-r.Context().Done()
		return
	case "late", "slow":
		wait := time.Second
		if lie == "late" {
			wait /= 10
		}
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	for name, values := range said.header {
		w.Header()[name] = values
	}
	w.WriteHeader(said.status)
	w.Write(body)
}

// mend changes the signature of a signed answer.
func mend(isTile bool, body []byte, change func(sig []byte)) []byte {
	at := bytes.LastIndexByte(bytes.TrimSuffix(body, []byte("\n")), ' ')
	if isTile || at < 0 {
		return body
	}
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body[at+1:])))
	if err != nil {
		return body
	}
	change(sig)
	return append(body[:at+1:at+1], base64.StdEncoding.EncodeToString(sig)+"\n"...)
}

// swapped puts other hashes into the record of an answer, and into the tile that has its place.
func (d *database) swapped(path string, body []byte) []byte {
	if !strings.HasPrefix(path, "/tile/") {
		id, text, rest, err := tlog.ParseRecord(body)
		if err != nil {
			return body
		}
		module, _, _ := strings.Cut(string(text), " ")
		version := strings.Fields(string(text))[1]
		forged := []byte(lines(module, version, zeros))
		d.mu.Lock()
		d.forged, d.forgedHash = id, tlog.RecordHash(forged)
		d.mu.Unlock()
		msg, err := tlog.FormatRecord(id, forged)
		if err != nil {
			return body
		}
		return append(msg, rest...)
	}
	t, err := tlog.ParseTilePath(path[1:])
	if err != nil || t.L != 0 {
		return body
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if at := d.forged - t.N<<uint(t.H); at >= 0 && at < int64(t.W) {
		copy(body[at*tlog.HashSize:], d.forgedHash[:])
	}
	return body
}

// unauthenticated signs the tree head with lines of hashes behind it: signed, and in no log.
func unauthenticated(signed []byte, skey, claims string) ([]byte, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return nil, errors.New("no note")
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: text + "\n" + claims}, signer)
}
