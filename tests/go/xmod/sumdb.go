package main

import (
	"encoding/base64"
	"fmt"
	"log"
	"math"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// decoded is the argument of a question that may be no text.
func decoded(argument string) []byte {
	bytes, err := base64.StdEncoding.DecodeString(argument)
	if err != nil {
		log.Fatal(err)
	}
	return bytes
}

// verifier tells whether a text is a verifier key.
func verifier(vkey string) answer {
	_, err := note.NewVerifier(vkey)
	return answer{OK: err == nil}
}

// signed signs a text with keys of these names, and gives the verifier key of the first, a line feed,
// and the note.
func signed(text, names string) answer {
	var first string
	var signers []note.Signer
	for _, name := range strings.Fields(names) {
		// A name's key is always the same.
		skey, vkey, err := note.GenerateKey(strings.NewReader(strings.Repeat(name, 64)), name)
		if err != nil {
			log.Fatal(err)
		}
		if first == "" {
			first = vkey
		}
		signer, err := note.NewSigner(skey)
		if err != nil {
			log.Fatal(err)
		}
		signers = append(signers, signer)
	}
	msg, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		log.Fatal(err)
	}
	return answer{true, first + "\n" + string(msg)}
}

// opened gives the text of a note that the key has signed.
func opened(msg, vkey string) answer {
	key, err := note.NewVerifier(vkey)
	if err != nil {
		log.Fatal(err)
	}
	n, err := note.Open(decoded(msg), note.VerifierList(key))
	if err != nil {
		return answer{}
	}
	return answer{true, n.Text}
}

// head gives the size and the hash of a tree head's text.
func head(text string) answer {
	tree, err := tlog.ParseTree([]byte(text))
	if err != nil {
		return answer{}
	}
	return answer{true, fmt.Sprintf("%d %v", tree.N, tree.Hash)}
}

// record gives number, text and rest of a lookup's answer. A number that is not in the form that
// databases write is refused, though x/mod lets it pass.
func record(msg string) answer {
	whole := decoded(msg)
	id, text, rest, err := tlog.ParseRecord(whole)
	if err != nil || id < 0 || !strings.HasPrefix(string(whole), strconv.FormatInt(id, 10)+"\n") {
		return answer{}
	}
	encode := base64.StdEncoding.EncodeToString
	return answer{true, fmt.Sprintf("%d %s %s", id, encode(text), encode(rest))}
}

// stored are the hashes of a tree of records that say their number.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, index := range indexes {
		list = append(list, s[index])
	}
	return list, nil
}

// theTree has 70,000 records.
var theTree stored

func tree() stored {
	if theTree == nil {
		for id := range int64(70_000) {
			hashes, err := tlog.StoredHashes(id, fmt.Appendf(nil, "record %d\n", id), theTree)
			if err != nil {
				log.Fatal(err)
			}
			theTree = append(theTree, hashes...)
		}
	}
	return theTree
}

// root gives the hash of the tree when it had so many records.
func root(size string) answer {
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	hash, err := tlog.TreeHash(n, tree())
	if err != nil {
		log.Fatal(err)
	}
	return answer{true, hash.String()}
}

// isWanted says whether the go command could ask for this tile: one of hashes, of its own height, of a
// log with at most 2^63-1 records.
func isWanted(path string) bool {
	const height = 8
	t, err := tlog.ParseTilePath(path)
	if err != nil || t.H != height || t.L < 0 || t.L*height > 62 {
		return false
	}
	return t.N <= math.MaxInt64>>(t.L*height)>>height
}

// piece gives the bytes of a tile of the tree.
func piece(path string) answer {
	t, err := tlog.ParseTilePath(path)
	if err != nil {
		log.Fatal(err)
	}
	data, err := tlog.ReadTileData(t, tree())
	if err != nil {
		log.Fatal(err)
	}
	return answer{true, base64.StdEncoding.EncodeToString(data)}
}
