package proof

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestAHeadIsACheckpointThatIsSigned(t *testing.T) {
	w := newWorld(t)
	h := Head{Origin: "example.com/migration", Tree: tlog.Tree{N: 1 << 40, Hash: digestOf("root")}, Report: digestOf("report"), Previous: digestOf("previous"), Made: w.now}
	signed, err := h.sign(w.private)
	if err != nil {
		t.Fatal(err)
	}
	base := func(d Digest) string { return base64.StdEncoding.EncodeToString(d[:]) }
	want := fmt.Sprintf("example.com/migration\n1099511627776\n%s\nreport %s\nprevious %s\nmade 2026-03-01T18:30:00Z\n", base(h.Tree.Hash), base(h.Report), base(h.Previous))
	text, signature, _ := strings.Cut(signed, "\n— ")
	if text != want || !strings.HasPrefix(signature, "example.com/migration ") {
		t.Errorf("%s instead of %s", signed, want)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(w.keys[0]))
	if err != nil || n.Text != want {
		t.Error(err)
	}
	got, k, err := OpenHead(signed, w.keys...)
	if err != nil || got != h || k.String() != w.public {
		t.Errorf("%+v: %v", got, err)
	}
}

func TestAHeadHasOneSpelling(t *testing.T) {
	w := newWorld(t)
	signer, err := note.NewSigner(w.private)
	if err != nil {
		t.Fatal(err)
	}
	h := Head{Origin: "example.com/migration", Tree: tlog.Tree{N: 7, Hash: digestOf("root")}, Report: digestOf("report"), Previous: digestOf("previous"), Made: w.now}
	zero := tlog.Hash{}.String()
	for name, change := range map[string][2]string{
		"origin":          {"example.com/migration\n7", "example.com/other\n7"},
		"no origin":       {"example.com/migration\n", ""},
		"a sign":          {"\n7\n", "\n+7\n"},
		"a zero":          {"\n7\n", "\n07\n"},
		"negative":        {"\n7\n", "\n-7\n"},
		"no number":       {"\n7\n", "\nx\n"},
		"too large":       {"\n7\n", "\n1099511627777\n"},
		"short root":      {h.Tree.Hash.String(), "AAAA"},
		"stray bits":      {"=\nreport", "\x00"},
		"no report":       {"report ", "Report "},
		"a zero previous": {tlog.Hash(h.Previous).String(), zero},
		"two previous":    {"previous ", "previous " + zero + "\nprevious "},
		"a zone":          {"18:30:00Z", "18:30:00+00:00"},
		"a fraction":      {"18:30:00Z", "18:30:00.5Z"},
		"a day":           {"2026-03-01", "2026-02-30"},
		"more":            {"00Z\n", "00Z\nmore\n"},
		"order":           {"report ", "made 2026-03-01T18:30:00Z\nreport "},
		"an empty line":   {"report ", "\nreport "},
		"a space":         {"00Z\n", "00Z \n"},
	} {
		text := strings.Replace(h.text(), change[0], change[1], 1)
		if name == "stray bits" {
			root := h.Tree.Hash.String()
			digits := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			text = strings.Replace(h.text(), root, root[:42]+string(digits[strings.IndexByte(digits, root[42])+1])+"=", 1)
		}
		if text == h.text() {
			t.Fatalf("%s changes nothing", name)
		}
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := OpenHead(string(signed), w.keys...); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}

	signed, err := h.sign(w.private)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"nothing":            "",
		"no line feed":       strings.TrimSuffix(signed, "\n"),
		"a signature twice":  signed + signed[strings.Index(signed, "— "):],
		"no signature":       h.text() + "\n",
		"a signature more":   signed + "— other AAAAAAAA\n",
		"padding left out":   strings.Replace(signed, "=\n", "\n", 1),
		"a space at its end": strings.TrimSuffix(signed, "\n") + " \n",
		"another text":       strings.Replace(signed, "\n7\n", "\n8\n", 1),
	} {
		if _, _, err := OpenHead(other, w.keys...); err == nil {
			t.Errorf("%s: it is good", name)
		}
	}
	if _, _, err := OpenHead(strings.Replace(signed, "\n7\n", "\n8\n", 1), w.keys...); err == nil || !strings.Contains(err.Error(), "changed after it was signed") {
		t.Error(err)
	}
}

// FuzzHead checks that what is read of any text is written as that text.
func FuzzHead(f *testing.F) {
	f.Add(Head{Origin: "a", Made: time.Unix(0, 0)}.text())
	f.Add(Head{Origin: "a", Made: time.Unix(1e9, 0), Previous: Digest{1}}.text())
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := parseHead(text); err == nil && (h.text() != text || h.Tree.N < 0) {
			t.Errorf("%q is read as %+v", text, h)
		}
	})
}

func TestHeadsAreChained(t *testing.T) {
	w := newWorld(t)
	w.publish(t)
	w.goOn(t, 1)
	w.publish(t)
	first, _, err := OpenHead(w.log.heads[0], w.keys...)
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := OpenHead(w.log.heads[1], w.keys...)
	if err != nil {
		t.Fatal(err)
	}
	if first.Previous != (Digest{}) || second.Previous != sha256.Sum256([]byte(w.log.heads[0])) {
		t.Errorf("%v follows %v", second, first)
	}
}

func TestNothingIsSignedThatCouldNotBeChecked(t *testing.T) {
	w := newWorld(t)
	w.publish(t)
	sign := func(made time.Time) error {
		_, err := Sign(t.Context(), w.log, w.private, tlog.Tree{}, Digest{}, made)
		return err
	}
	if err := sign(w.now.AddDate(0, 0, -1).Add(500 * time.Millisecond)); err != nil {
		t.Errorf("at the time of the one before it: %v", err)
	}
	err := sign(w.now.AddDate(0, 0, -2))
	if _, hint := migrate.Explain(err); err == nil || hint == "" || !strings.Contains(err.Error(), "2026-03-01T18:30:00Z, and by the clock of this machine it is 2026-02-28T18:30:00Z") {
		t.Errorf("before the one before it: %v", err)
	}
	if _, err := Sign(t.Context(), brokenLog{w.log, "heads"}, w.private, tlog.Tree{}, Digest{}, w.now); err == nil {
		t.Error("without the heads")
	}
	w.log.heads = []string{"x"}
	if err := sign(w.now); err == nil {
		t.Error("after a head that is none")
	}
	if _, err := WriteLog(t.Context(), w.log, io.Discard); err == nil {
		t.Error("a log with a head that is none")
	}
}

func TestALogThatIsNotTheOneThatWasSignedIsNotWritten(t *testing.T) {
	for name, change := range map[string]func(l *memory){
		"an entry changed":  func(l *memory) { l.entries[3].Text += "x" },
		"an entry lost":     func(l *memory) { l.entries = l.entries[:len(l.entries)-1] },
		"all entries lost":  func(l *memory) { l.entries = nil },
		"an entry inserted": func(l *memory) { l.entries = slices.Insert(l.entries, 5, l.entries[5]) },
	} {
		w := newWorld(t)
		w.publish(t)
		change(w.log)
		_, err := WriteLog(t.Context(), w.log, io.Discard)
		if _, hint := migrate.Explain(err); err == nil || hint == "" || !strings.Contains(err.Error(), "report 1 was signed for another log") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := newWorld(t)
	w.update(t)
	for _, what := range []string{"heads", "size", "entries"} {
		if _, err := WriteLog(t.Context(), brokenLog{w.log, what}, io.Discard); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := WriteLog(t.Context(), w.log, full{}); err == nil {
		t.Error("on a full disk: no error")
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errBroken }

func TestAKeyIsInBothItsHalves(t *testing.T) {
	for range 50 { // some have + and / in them
		private, public, err := NewKey("a.B-_~/9")
		if err != nil {
			t.Fatal(err)
		}
		k, err := PublicKey(private)
		if err != nil || k.String() != public {
			t.Fatalf("%s instead of %s: %v", k, public, err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "ä", `a"`, `a\`, "a<b", strings.Repeat("a", 101), "a\n"} {
		if _, _, err := NewKey(name); err == nil {
			t.Errorf("%q is the name of a key", name)
		}
	}
	for _, private := range []string{"", "x", "PRIVATE+KEY+a+00000000+AAAA"} {
		if _, err := PublicKey(private); err == nil || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%q: %v", private, err)
		}
	}
	seed := make([]byte, ed25519.SeedSize)
	text, _ := note.NewEd25519VerifierKey("a<b", ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if _, err := ReadKeys(text); err == nil {
		t.Errorf("%s is a key", text)
	}
}

func TestKeysAreReadOneInALine(t *testing.T) {
	_, a, _ := NewKey("a")
	_, b, _ := NewKey("b")
	for strings.ToUpper(b[2:10]) == b[2:10] {
		_, b, _ = NewKey("b")
	}
	keys, err := ReadKeys("\n" + a + "\r\n  " + b)
	if err != nil || len(keys) != 2 || keys[0].String() != a || keys[1].String() != b {
		t.Errorf("%v: %v", keys, err)
	}
	digits := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for name, text := range map[string]string{
		"nothing":         "",
		"no key":          "x",
		"two in a line":   a + " " + b,
		"a private one":   "PRIVATE+KEY+" + a,
		"another hash":    strings.Replace(a, "+", "+0", 1),
		"another name":    "x" + a,
		"upper-case hash": "b+" + strings.ToUpper(b[2:10]) + b[10:],
		"another kind":    a[:11] + "B" + a[12:],
		"one more digit":  a + "A" + digits[:3],
	} {
		if keys, err := ReadKeys(text); err == nil {
			t.Errorf("%s: %v", name, keys)
		}
	}
}

func TestAFingerprintIsTheDigestOfTheKeysText(t *testing.T) {
	_, text, _ := NewKey("a")
	keys, err := ReadKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	got := keys[0].Fingerprint()
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); strings.ReplaceAll(got, " ", "") != want || strings.Count(got, " ") != 15 || len(got) != 64+15 {
		t.Errorf("%s, want %s", got, want)
	}
}
