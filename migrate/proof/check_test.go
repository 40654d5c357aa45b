package proof

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mailhaul/mailhaul/migrate"
)

func TestWhatAGoodReportProves(t *testing.T) {
	w, m := threeReports(t)
	m.names = append(m.names, "report.pdf")
	m.files["report.pdf"] = &fstest.MapFile{Data: []byte("%PDF")}
	m.folder(5)["path_nonce"] = nil
	m.after = func(files fstest.MapFS) { delete(files, "report.xlsx") }
	r, err := Check(t.Context(), m.sign(t), "report.json", w.keys)
	if err != nil {
		t.Fatal(err)
	}
	if r.Head.Origin != "example.com/migration" || r.Key.String() != w.public || !r.Head.Made.Equal(w.now) {
		t.Errorf("signed by %s with %s at %s", r.Head.Origin, r.Key, r.Head.Made)
	}
	if r.Head.Tree != m.tree || len(r.Earlier) != 2 || r.Earlier[0].Tree.N >= r.Earlier[1].Tree.N {
		t.Errorf("%d entries after %v", r.Head.Tree.N, r.Earlier)
	}
	if r.Mailboxes != 3 || r.Folders != 5 || r.Named != 4 || r.Messages != int64(m.listed()) {
		t.Errorf("%d mailboxes, %d folders, %d with names, %d messages", r.Mailboxes, r.Folders, r.Named, r.Messages)
	}
	var count [migrate.Outcomes]int64
	for i := range w.mailboxes {
		for _, rs := range w.book(i).records {
			for _, record := range rs {
				count[record.Outcome]++
			}
		}
	}
	if r.Count != count {
		t.Errorf("%v by outcome, want %v", r.Count, count)
	}
	if want := []string{"report.log.gz", "report.html", "report.pdf"}; !slices.Equal(r.Files, want) || !slices.Equal(r.Absent, []string{"report.xlsx"}) {
		t.Errorf("there are %v, and not %v", r.Files, r.Absent)
	}
}

func TestAReportOnNothingIsGood(t *testing.T) {
	w := newWorld(t)
	w.mailboxes = nil
	r, err := Check(t.Context(), w.publish(t), "report.json", w.keys)
	if err != nil || r.Messages != 0 || r.Head.Tree.N != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	w.mailboxes = newWorld(t).mailboxes
	if found := w.wrong(t, w.publish(t)); found != nil {
		t.Errorf("the next one: %v", found)
	}
}

func TestEveryBitOfAReportCounts(t *testing.T) {
	w, m := threeReports(t)
	files := m.sign(t)
	whole := files["report.json"].Data
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	random := rand.New(rand.NewPCG(5, 5))
	var bits []int
	for range 1000 {
		bits = append(bits, random.IntN(8*last))
	}
	for bit := 8 * last; bit < 8*len(whole); bit++ {
		bits = append(bits, bit)
	}
	for _, bit := range bits {
		changed := slices.Clone(whole)
		changed[bit/8] ^= 1 << (bit % 8)
		files["report.json"] = &fstest.MapFile{Data: changed}
		if found := w.wrong(t, files); found == nil {
			t.Fatalf("bit %d of octet %d, %q, was not noticed", bit%8, bit/8, whole[max(0, bit/8-20):bit/8+1])
		}
	}
}

func TestRowsOfAReportThatAreChangedAfterItWasSigned(t *testing.T) {
	w, m := threeReports(t)
	files := m.sign(t)
	rows := slices.Collect(bytes.Lines(files["report.json"].Data))
	for i := range len(rows) - 1 {
		for change, changed := range map[string][][]byte{
			"left out": slices.Concat(rows[:i], rows[i+1:]),
			"doubled":  slices.Concat(rows[:i+1], rows[i:]),
			"swapped":  slices.Concat(rows[:i], [][]byte{rows[i+1], rows[i]}, rows[i+2:]),
		} {
			if change == "swapped" && bytes.Equal(rows[i], rows[i+1]) {
				continue
			}
			files["report.json"] = &fstest.MapFile{Data: bytes.Join(changed, nil)}
			if w.wrong(t, files) == nil {
				t.Errorf("row %d, %.60q, was %s, and nobody noticed", i, rows[i], change)
			}
		}
	}
}

func TestLogsThatAreNotThoseOfTheReport(t *testing.T) {
	w := newWorld(t)
	first := w.publish(t)
	w.goOn(t, 1)
	second := w.publish(t)
	stranger := newWorld(t)
	stranger.goOn(t, 9)
	for name, log := range map[string]*fstest.MapFile{"an older one": first["report.log.gz"], "one of another report": stranger.publish(t)["report.log.gz"]} {
		files := fstest.MapFS{"report.json": second["report.json"], "report.log.gz": log}
		t.Run(name, func(t *testing.T) {
			w.noticed(t, files, "report.log.gz is not the file that the report was made with", "the log is not the one that was signed")
		})
	}
	newer := fstest.MapFS{"report.json": first["report.json"], "report.log.gz": second["report.log.gz"]}
	w.noticed(t, newer, "it has more than 202 entries")
}

func TestAReportIsGoodOnlyWithTheKeyThatSignedIt(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	files := w.publish(t)
	_, err := Check(t.Context(), files, "report.json", other.keys)
	if err == nil || err.Error() != "the head of the report: it is not signed with the given key" {
		t.Errorf("with another key: %v", err)
	}
	if _, err := Check(t.Context(), files, "report.json", nil); err == nil {
		t.Error("it is good without a key")
	}
	r, err := Check(t.Context(), files, "report.json", []Key{other.keys[0], w.keys[0]})
	if err != nil || r.Key.String() != w.public {
		t.Errorf("with both keys: %v", err)
	}

	// Another key takes over: both are needed from then on.
	w.private = other.private
	files = w.publish(t)
	both := []Key{w.keys[0], other.keys[0]}
	if r, err := Check(t.Context(), files, "report.json", both); err != nil || r.Key.String() != other.public {
		t.Errorf("after a change of keys, with both: %v", err)
	}
	w.noticed(t, files, "the head of the report: it is not signed")
	if _, err := Check(t.Context(), files, "report.json", other.keys); err == nil || !strings.Contains(err.Error(), "the head of report 1: it is not signed") {
		t.Errorf("after a change of keys, with the new one: %v", err)
	}
}

func TestAnEarlierReportIsInTheChainOrNot(t *testing.T) {
	w := newWorld(t)
	var heads []string
	var files fstest.MapFS
	for i := range 3 {
		w.goOn(t, uint64(i))
		files = w.publish(t)
		head, err := LastHead(t.Context(), bytes.NewReader(files["report.json"].Data))
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, head)
	}
	if found := w.wrong(t, files, heads...); found != nil {
		t.Error(found)
	}

	// Somebody made a second report of the same day, and hides it.
	w.log.heads = slices.Clone(heads[:1])
	hidden := w.publish(t)
	want := []string{"the earlier report that was given is none of those before this one"}
	if found := w.wrong(t, hidden, heads[1]); !slices.Equal(found, want) {
		t.Error(found)
	}
}

func TestADraftProvesNothing(t *testing.T) {
	w, m := threeReports(t)
	m.members["draft"] = "A run was at work."
	files := m.sign(t)
	if _, err := Check(t.Context(), files, "report.json", w.keys); !errors.Is(err, ErrDraft) {
		t.Error(err)
	}
	if _, err := LastHead(t.Context(), bytes.NewReader(files["report.json"].Data)); !errors.Is(err, ErrDraft) {
		t.Error(err)
	}
}

func TestWhatIsNoReportIsNone(t *testing.T) {
	w := newWorld(t)
	for name, text := range map[string]string{
		"nothing":             "",
		"an empty object":     "{}\n",
		"an array":            "[]\n",
		"a long line":         `{"a":"` + strings.Repeat("a", maxLine) + `"}`,
		"a deep array":        `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}\n",
		"a deep object":       `{"a":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) + "}\n",
		"deep tables":         `{"folders":[{"path_name":` + strings.Repeat("[", 100) + "\n",
		"something after it":  "{}\n{}\n",
		"half a report":       `{"format":"mailhaul-report","version":1,` + "\n",
		"an infinity of keys": `{` + strings.Repeat("\"a\":1,\n", 2) + "\n}",
	} {
		if found := w.wrong(t, fstest.MapFS{"report.json": {Data: []byte(text)}}); len(found) != 1 {
			t.Errorf("%s: %v", name, found)
		}
		if _, err := LastHead(t.Context(), strings.NewReader(text)); err == nil && text != "{}\n" {
			t.Errorf("%s has a head", name)
		}
	}
	if _, err := Check(t.Context(), fstest.MapFS{}, "report.json", w.keys); err == nil {
		t.Error("a report that is not there is good")
	}
}

func TestAnObjectHasABoundedNumberOfMembers(t *testing.T) {
	object := func(members int) string {
		var b strings.Builder
		for i := range members {
			b.WriteString(",\n\"" + strings.Repeat("a", i%100) + string(rune('0'+i%10)) + strings.Repeat("b", i/100) + "\":1")
		}
		return "{" + strings.TrimPrefix(b.String(), ",") + "}\n"
	}
	read := func(text string) error {
		_, err := readReport(t.Context(), strings.NewReader(text))
		return err
	}
	if err := read(object(5000)); err != nil {
		t.Error(err)
	}
	if err := read(object(maxMembers + 100)); err == nil || !strings.Contains(err.Error(), "too many members") {
		t.Error(err)
	}
	if err := read(strings.Replace(object(5000), "}", `,"`+strings.Repeat("a", 40)+"0"+strings.Repeat("b", 20)+`":1}`, 1)); err == nil || !strings.Contains(err.Error(), "there is another") {
		t.Error(err)
	}
}

func TestMoreThanTwentyProblemsAreCounted(t *testing.T) {
	w, m := threeReports(t)
	failed := len(m.exceptions)
	m.exceptions = nil
	_, err := Check(t.Context(), m.sign(t), "report.json", w.keys)
	p, ok := errors.AsType[*Problems](err)
	if !ok || len(p.Found) != 20 || p.More != failed-20 || !slices.IsSortedFunc(p.Found, func(a, b string) int { return len(a) - len(b) }) && failed < 20 {
		t.Errorf("%d failed: %v", failed, err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 21 || !strings.HasPrefix(lines[20], "and ") || !strings.Contains(lines[0], "in folder 1 ") {
		t.Error(err)
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	w, m := threeReports(t)
	files := m.sign(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, files, "report.json", w.keys); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := LastHead(ctx, bytes.NewReader(files["report.json"].Data)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	log := bytes.NewReader(files["report.log.gz"].Data)
	if err := readLog(ctx, log, m.tree.N, func([]byte) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNoFileMakesAProblemThatATerminalObeys(t *testing.T) {
	w, m := threeReports(t)
	m.members["format"] = "\x1b[2J"
	m.raw = `,"\u001b[2J":1,"\u001b[2J":1`
	found := strings.Join(w.wrong(t, m.sign(t)), "")
	if found == "" || strings.ContainsRune(found, '\x1b') {
		t.Errorf("%q", found)
	}
}
