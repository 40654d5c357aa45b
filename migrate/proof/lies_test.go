package proof

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// A lie changes a report before it is signed, so that nothing tells it but what
// it is about.
type lie struct {
	name  string
	words string // in what is found; empty if there is nothing wrong
	tell  func(m *making, random *rand.Rand)
	ways  int // that m.way chooses from, if there are several
}

var lies = []lie{
	{"none", "", func(*making, *rand.Rand) {}, 1},
	{"another title", "", func(m *making, _ *rand.Rand) { m.members["title"] = "Another" }, 1},
	{"a file is not there", "", func(m *making, _ *rand.Rand) {
		m.after = func(files fstest.MapFS) { delete(files, "report.xlsx") }
	}, 1},
	{"names are not shown", "", func(m *making, _ *rand.Rand) {
		for _, r := range m.folders {
			for _, k := range kinds {
				r[k+"_name"], r[k+"_nonce"] = nil, nil
			}
		}
	}, 1},
	{"rows in another order", "", func(m *making, r *rand.Rand) {
		r.Shuffle(len(m.folders), func(i, j int) { m.folders[i], m.folders[j] = m.folders[j], m.folders[i] })
		slices.Reverse(m.exceptions)
	}, 1},
	{"a mailbox without folders", "", func(m *making, _ *rand.Rand) {
		r := row{"mailbox": 9, "listed": 0}
		for _, key := range sumKeys {
			r[key] = 0
		}
		m.mailboxRows = append(m.mailboxRows, r)
	}, 1},

	{"a folder left out", "is in the log, but not in the report", func(m *making, r *rand.Rand) {
		i := r.IntN(len(m.folders))
		for _, key := range sumKeys {
			m.owner(int64(i+1)).add(key, -m.folders[i][key].(int))
		}
		m.folders = slices.Delete(m.folders, i, i+1)
	}, 1},
	{"a folder added", "is in the report, but not in the log", func(m *making, _ *rand.Rand) {
		r := row{"folder": 99, "mailbox": 1}
		for _, key := range sumKeys {
			r[key] = 0
		}
		m.folders = append(m.folders, r)
	}, 1},
	{"a folder twice", "is in the report, but not in the log, or twice", func(m *making, r *rand.Rand) {
		m.folders = append(m.folders, m.folders[r.IntN(len(m.folders))])
	}, 1},
	{"another outcome in the sums", "folder 2: the report has", func(m *making, r *rand.Rand) {
		from, to := r.IntN(4), 4+r.IntN(5)
		for _, r := range []row{m.folder(2), m.owner(2)} {
			r.add(sumKeys[1+from], -1)
			r.add(sumKeys[1+to], 1)
		}
	}, 1},
	{"fewer were listed", "listed instead of", func(m *making, r *rand.Rand) {
		for _, r := range []row{m.folder(3), m.owner(3)} {
			r.add("listed", -1)
		}
	}, 1},
	{"sums of two folders swapped", "folder 1: the report has", func(m *making, _ *rand.Rand) {
		for _, key := range sumKeys {
			m.folder(1)[key], m.folder(2)[key] = m.folder(2)[key], m.folder(1)[key]
		}
	}, 1},
	{"a folder of another mailbox", "is of another mailbox in the log", func(m *making, _ *rand.Rand) {
		for _, key := range sumKeys {
			m.owner(2).add(key, -m.folder(2)[key].(int))
			m.owner(5).add(key, m.folder(2)[key].(int))
		}
		m.folder(2)["mailbox"] = m.folder(5)["mailbox"]
	}, 1},
	{"a mailbox split in two", "is of another mailbox in the log", func(m *making, _ *rand.Rand) {
		r := row{"mailbox": 4}
		for _, key := range sumKeys {
			r[key] = m.folder(2)[key]
			m.owner(2).add(key, -m.folder(2)[key].(int))
		}
		m.folder(2)["mailbox"] = 4
		m.mailboxRows = append(m.mailboxRows, r)
	}, 1},
	{"two mailboxes as one", "folder 5 is of another mailbox in the log", func(m *making, _ *rand.Rand) {
		for _, key := range sumKeys {
			m.owner(1).add(key, m.folder(5)[key].(int))
		}
		m.folder(5)["mailbox"] = 1
		m.mailboxRows = m.mailboxRows[:2]
	}, 1},
	{"a mailbox left out", "is not in it itself", func(m *making, r *rand.Rand) {
		i := r.IntN(len(m.mailboxRows))
		m.mailboxRows = slices.Delete(m.mailboxRows, i, i+1)
	}, 1},
	{"a mailbox twice", "mailbox 1 is in the report twice", func(m *making, _ *rand.Rand) { m.mailboxRows = append(m.mailboxRows, m.mailboxRows[0]) }, 1},
	{"another sum of a mailbox", "mailbox 2: the report has", func(m *making, r *rand.Rand) {
		m.mailboxRows[1].add(sumKeys[r.IntN(len(sumKeys))], 1)
	}, 1},
	{"an exception left out", "is no exception in the report", func(m *making, r *rand.Rand) {
		i := r.IntN(len(m.exceptions))
		m.exceptions = slices.Delete(m.exceptions, i, i+1)
	}, 1},
	{"an exception added", "is an exception in the report", func(m *making, r *rand.Rand) {
		m.exceptions = append(m.exceptions, row{"folder": 1 + r.IntN(5), "uid": 5000 + r.IntN(5)})
	}, 1},
	{"an exception twice", "or it is twice", func(m *making, r *rand.Rand) {
		m.exceptions = append(m.exceptions, m.exceptions[r.IntN(len(m.exceptions))])
	}, 1},
	{"an exception in another folder", "is no exception in the report", func(m *making, _ *rand.Rand) { m.exceptions[0]["folder"] = 5 }, 1},
	{"no table of exceptions", "is no exception in the report", func(m *making, _ *rand.Rand) { m.exceptions = nil }, 1},
	{"another path", "folder 2: the log has another name as its path", func(m *making, _ *rand.Rand) { m.folder(2)["path_name"] = []string{"Clients/2019", "20"} }, 1},
	{"another source", "folder 4: the log has another name as its source", func(m *making, _ *rand.Rand) { m.folder(4)["source_name"] = "anna.berg@old.example" }, 1},
	{"another target", "folder 4: the log has another name as its target", func(m *making, _ *rand.Rand) { m.folder(4)["target_name"] = nil }, 1},
	{"another nonce", "folder 1: the log has another name as its path", func(m *making, _ *rand.Rand) { m.folder(1)["path_nonce"] = strings.Repeat("5a", 32) }, 1},
	{"no nonce", "the nonce of its source is none", func(m *making, _ *rand.Rand) { m.folder(1)["source_nonce"] = "5a" }, 1},
	{"a number that is none", "stands where a whole number is expected", func(m *making, r *rand.Rand) {
		m.folder(1)["listed"] = []any{1.5, "1", true, nil, row{}, []int{}, json.Number("-0"), json.Number("1e1"), json.Number("9223372036854775808")}[m.way%9]
	}, 9},
	{"a count left out", `a row has no "merged"`, func(m *making, _ *rand.Rand) { delete(m.folder(1), "merged") }, 1},
	{"a name that is none", "stands where a text is expected", func(m *making, r *rand.Rand) {
		m.folder(1)["source_name"] = []any{1, true, row{}, []int{}}[m.way%4]
	}, 4},

	{"another size of the log", "the report says that its log has", func(m *making, _ *rand.Rand) { m.entries++ }, 1},
	{"an entry changed", "entries were changed", func(m *making, r *rand.Rand) {
		i := r.IntN(len(m.texts))
		m.texts[i] = m.texts[i][:len(m.texts[i])-1] + "~"
		m.repack()
	}, 1},
	{"the last entry left out", "entries were changed", func(m *making, _ *rand.Rand) { m.texts = m.texts[:len(m.texts)-1]; m.repack() }, 1},
	{"an entry left out, its size repaired", "entries were changed", func(m *making, r *rand.Rand) {
		i := r.IntN(len(m.texts))
		m.texts = slices.Delete(m.texts, i, i+1)
		m.entries--
		m.repack()
	}, 1},
	{"an entry added", "has more than", func(m *making, _ *rand.Rand) { m.texts = append(m.texts, m.texts[1]); m.repack() }, 1},
	{"two entries swapped", "entries were changed", func(m *making, r *rand.Rand) {
		i := 1 + r.IntN(10)
		m.texts[i], m.texts[i+20] = m.texts[i+20], m.texts[i]
		m.repack()
	}, 1},
	{"an entry of the first report swapped, and all signed anew", "does not begin with the one of report 1", func(m *making, _ *rand.Rand) {
		m.texts[1], m.texts[2] = m.texts[2], m.texts[1]
		m.retree()
	}, 1},
	{"an entry of the second report doubled, and all signed anew", "does not begin with the one of report 2", func(m *making, _ *rand.Rand) {
		m.texts = slices.Insert(m.texts, 202, m.texts[1])
		m.retree()
	}, 1},
	{"an entry added, and all signed anew", "folder 1: the report has", func(m *making, _ *rand.Rand) {
		m.texts = append(m.texts, Message{Folder: 1, UID: 4000, Outcome: 1}.String())
		m.retree()
	}, 1},
	{"a folder renamed in the log", "has another name as its path", func(m *making, _ *rand.Rand) {
		f, _ := ParseFolder(m.texts[0])
		f.Path = commit(strings.Repeat("00", 32), "Elsewhere")
		m.texts = append(m.texts, f.String())
		m.retree()
	}, 1},
	{"a message of no folder", "that no entry before it is about", func(m *making, _ *rand.Rand) {
		m.texts = append(m.texts, Message{Folder: 77, UID: 1}.String())
		m.retree()
	}, 1},
	{"an entry in another spelling", "is no entry of a log", func(m *making, r *rand.Rand) {
		m.texts = append(m.texts, otherSpellings[m.way%len(otherSpellings)])
		m.retree()
	}, 1},
	{"an entry that is too long", "is longer than", func(m *making, _ *rand.Rand) {
		m.texts = append(m.texts, strings.Repeat("x", 5000))
		m.retree()
	}, 1},
	{"a log that breaks off", "breaks off", func(m *making, _ *rand.Rand) {
		f := m.files["report.log.gz"]
		f.Data = f.Data[:len(f.Data)-9]
	}, 1},
	{"half an entry more", "breaks off", func(m *making, _ *rand.Rand) {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		fmt.Fprintf(zip, "%s\nmessage 1", strings.Join(m.texts, "\n"))
		zip.Close()
		m.files["report.log.gz"].Data = b.Bytes()
	}, 1},
	{"a log that is none", "gzip: invalid header", func(m *making, _ *rand.Rand) { m.files["report.log.gz"].Data = []byte("this is no log") }, 1},

	{"an earlier head left out", "is not chained", func(m *making, r *rand.Rand) {
		i := r.IntN(2)
		m.heads = append(slices.Clone(m.heads[:i]), m.heads[i+1:]...)
	}, 1},
	{"no earlier heads", "is not chained", func(m *making, _ *rand.Rand) { m.heads = nil }, 1},
	{"earlier heads swapped", "is not chained", func(m *making, _ *rand.Rand) { m.heads = []string{m.heads[1], m.heads[0]} }, 1},
	{"an earlier head twice", "is not chained", func(m *making, _ *rand.Rand) { m.heads = append(slices.Clone(m.heads), m.heads[1]) }, 1},
	{"an earlier head that is none", "the head of report 2", func(m *making, _ *rand.Rand) { m.heads = []string{m.heads[0], "x"} }, 1},
	{"an earlier head of another root", "does not begin with the one of report 1", func(m *making, _ *rand.Rand) {
		m.rehead(func(h *Head) { h.Tree.Hash[0]++ }, nil)
	}, 1},
	{"an earlier head of another size", "does not begin with the one of report 1", func(m *making, _ *rand.Rand) {
		m.rehead(func(h *Head) { h.Tree.N++ }, nil)
	}, 1},
	{"a log that shrank", "is shorter than", func(m *making, _ *rand.Rand) {
		m.rehead(func(h *Head) { h.Tree.N += 1000 }, nil)
	}, 1},
	{"a report from before the one before it", "was made before the one before it", func(m *making, _ *rand.Rand) {
		m.rehead(nil, func(h *Head) { h.Made = h.Made.AddDate(-1, 0, 0) })
	}, 1},
	{"a first report that is chained", "report 1 is not chained", func(m *making, _ *rand.Rand) {
		m.rehead(func(h *Head) { h.Previous[5]++ }, nil)
	}, 1},
	{"a head of another report", "was changed after it was signed", func(m *making, _ *rand.Rand) { m.seal = func(h *Head) { h.Report[31] ^= 1 } }, 1},
	{"a head of another size", "the report says that its log has", func(m *making, _ *rand.Rand) { m.seal = func(h *Head) { h.Tree.N-- } }, 1},
	{"a head of another root", "entries were changed", func(m *making, _ *rand.Rand) { m.seal = func(h *Head) { h.Tree.Hash[31] ^= 1 } }, 1},
	{"a head of another origin", "spelling", func(m *making, _ *rand.Rand) { m.seal = func(h *Head) { h.Origin += "x" } }, 1},
	{"a head with another chain", "report 3 is not chained", func(m *making, _ *rand.Rand) { m.seal = func(h *Head) { h.Previous[0] ^= 1 } }, 1},
	{"a head made too early", "report 3 was made before", func(m *making, _ *rand.Rand) {
		m.seal = func(h *Head) { h.Made = h.Made.AddDate(0, 0, -2) }
	}, 1},
	{"a last line with a space", "the last line is not", func(m *making, _ *rand.Rand) {
		m.last = func(line string) string {
			at := []int{0, 6, 7, len(line) - 2, len(line) - 1, len(line)}[m.way%6]
			return line[:at] + " " + line[at:]
		}
	}, 6},
	{"a last line with another escape", "the last line is not", func(m *making, _ *rand.Rand) {
		m.last = func(line string) string { return strings.Replace(line, `\n`, `\u000a`, 1) }
	}, 1},
	{"a last line without an end", "the last line is not", func(m *making, _ *rand.Rand) {
		m.last = func(line string) string { return strings.TrimSuffix(line, "\n") }
	}, 1},
	{"another member in the last line", "the last line is not", func(m *making, _ *rand.Rand) {
		m.last = func(line string) string { return `"more":1,` + line }
	}, 1},
	{"no head", "the head of the report", func(m *making, _ *rand.Rand) { m.last = func(string) string { return "\"more\":1}\n" } }, 1},

	{"a file changed", "report.html was changed", func(m *making, _ *rand.Rand) {
		m.after = func(files fstest.MapFS) { files["report.html"] = &fstest.MapFile{Data: []byte("other")} }
	}, 1},
	{"another log with the same entries", "report.log.gz is not the file", func(m *making, _ *rand.Rand) {
		m.after = func(files fstest.MapFS) { m.repack(); files["report.log.gz"] = m.files["report.log.gz"] }
	}, 1},
	{"no log", "the log: open report.log.gz: file does not exist", func(m *making, _ *rand.Rand) {
		m.after = func(files fstest.MapFS) { delete(files, "report.log.gz") }
	}, 1},
	{"a folder instead of a file", "report.html is no regular file", func(m *making, _ *rand.Rand) {
		m.after = func(files fstest.MapFS) { files["report.html"] = &fstest.MapFile{Mode: fs.ModeDir} }
	}, 1},
	{"a signature more", "spelling", func(m *making, _ *rand.Rand) {
		m.last = func(line string) string {
			private, _, _ := NewKey("example.com/other")
			h, _ := readHead(m.heads[0])
			signed, _ := h.sign(private)
			_, signature, _ := strings.Cut(signed, "\n\n")
			return strings.Replace(line, `"}`, strings.ReplaceAll(signature, "\n", `\n`)+`"}`, 1)
		}
	}, 1},
	{"a file elsewhere", "is no name of a file beside", func(m *making, r *rand.Rand) {
		m.names = []string{[]string{"../report.html", "/etc/hosts", "", ".", "a/b", "a\\b", ".hidden", "a..", "nul:"}[m.way%9]}
		m.files[m.names[0]] = m.files["report.html"]
		m.after = func(files fstest.MapFS) { delete(files, m.names[0]) }
	}, 9},
	{"a file without a name", "is no name of a file beside", func(m *making, _ *rand.Rand) { m.raw, m.names = `,"files":[{"file":"report.html","sha256":""}]`, nil }, 1},
	{"another format", "is no report of mailhaul", func(m *making, _ *rand.Rand) { m.members["format"] = ProofFormat }, 1},
	{"another version", "a report of version 2", func(m *making, _ *rand.Rand) { m.members["version"] = 2 }, 1},
	{"a member twice", `there is another "version"`, func(m *making, _ *rand.Rand) { m.raw = `,"version":1` }, 1},
	{"a member twice where nothing is checked", `there is another "a"`, func(m *making, _ *rand.Rand) { m.raw = `,"more":[{"a":1,"b":{"a":2},"a":3}]` }, 1},
	{"a member twice in another spelling", `there is another "a"`, func(m *making, _ *rand.Rand) { m.raw = `,"more":[{"a":1,"\u0061":3}]` }, 1},
	{"no JSON", "damaged", func(m *making, r *rand.Rand) {
		m.raw = []string{`,"more":[1,]`, `,"more":{"a":1,}`, `,"more":[1 2]`, `,"more":NaN`, `,"more":01`, `,"more":{1:2}`, `,"more":'a'`, `,"more":]`, `,"more":"` + "\xff" + `"`, `}`, `,"more":"` + "\t" + `"`, `,"more":-0x`}[m.way%12]
	}, 12},
}

// rehead changes the heads of the first and of the second report, and signs
// them and their chain anew.
func (m *making) rehead(first, second func(h *Head)) {
	var heads []string
	for i, change := range []func(h *Head){first, second} {
		h, _ := readHead(m.heads[i])
		if i > 0 {
			h.Previous = digestOf(heads[i-1])
		}
		if change != nil {
			change(&h)
		}
		signed, _ := h.sign(m.private)
		heads = append(heads, signed)
	}
	m.heads = heads
	m.seal = func(h *Head) { h.Previous = digestOf(heads[1]) }
}

// otherSpellings are no entries, but nearly.
var otherSpellings = func() (all []string) {
	h := strings.Repeat("0a", 32)
	for _, s := range []string{
		"", " ", "folder", "message", "folder 1 2 0 H H", "folder 1 2 0 H H H ", " folder 1 2 0 H H H", "folder  1 2 0 H H H", "folder 01 2 0 H H H", "folder +1 2 0 H H H",
		"folder 1 -2 0 H H H", "folder 1 4294967296 0 H H H", "folder 1 2 2147483648 H H H", "folder 0 2 0 H H H", "folder 9223372036854775808 2 0 H H H", "folder 1 2 0 H H -", "folder 1 2 0 H H H x",
		"folder 1 2 0 H H 0A" + h[2:], "folder 1 2 0 H H " + h + "0a", "folder 1 2 0 H H " + h[2:], "folder 1 2 0 H H H\r", "folder 1 2 0 H H zz" + h[2:], "Folder 1 2 0 H H H", "file 1 2 0 H H H",
		"message 1 0 copied 0 1 - - -", "message 1 4294967296 copied 0 1 - - -", "message 1 1 Copied 0 1 - - -", "message 1 1 lost 0 1 - - -", "message 1 1 copied -1 1 - - -", "message 1 1 copied 00 1 - - -",
		"message 1 1 copied 0 -1 - - -", "message 1 1 copied 0 1 -- - -", "message 1 1 copied 0 1 - - --x y", "message 1 1 copied 0 1 - -  -", "message 1 1 copied 0 1 - - ", "message 1 1 copied 0 1 - -",
		"message 1 1 copied 0 1 " + strings.Repeat("0", 64) + " - -", "message 1 1 copied 0 1 - - %2d", "message 1 1 copied 0 1 - - a%2D", "message 1 1 copied 0 1 - - %41", "message 1 1 copied 0 1 - - %", "message 1 1 copied 0 1 - - %4",
		"message 1 1 copied 0 1 - - %zz", "message 1 1 copied 0 1 - - %c3%bc", "message 1 1 copied 0 1 - - ü", "message 1 1 copied 0 1 - - %+1", "message 1 1 copied 1099511627777 1 - - -", "message 1 1 copied 0 9223372036854775808 - - -",
		"message 0 1 copied 0 1 - - -", "message 1 1 copied 0 1 - - \x7f", "message 1 1  0 1 - - -", "message 1 1 outcome 0 1 - - -",
	} {
		all = append(all, strings.ReplaceAll(s, "H", h))
	}
	return all
}()

// fineSpellings are entries that a report may have as its last one.
var fineSpellings = []string{
	"message 1 4294967295 copied 0 0 - - -",
	"message 1 4000 copied 1099511627776 9223372036854775807 - - %2D",
	"message 1 4000 copied 1 1 " + strings.Repeat("0a", 32) + " " + strings.Repeat("f", 64) + " AA-=/%25%20%C3%BC%00%7F",
}

func TestEveryLieThatIsSignedIsNoticed(t *testing.T) {
	for n, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			for way := range max(3, lie.ways) {
				w, m := threeReports(t)
				m.way = way
				lie.tell(m, rand.New(rand.NewPCG(uint64(n), uint64(way))))
				if files := m.sign(t); lie.words != "" {
					w.noticed(t, files, lie.words)
				} else if found := w.wrong(t, files); found != nil {
					t.Error(found)
				}
			}
		})
	}
}

// disturb changes an octet of a file, or what it has.
func disturb(files fstest.MapFS, random *rand.Rand) {
	name := []string{"report.json", "report.json", "report.log.gz", "report.html"}[random.IntN(4)]
	data := slices.Clone(files[name].Data)
	at := random.IntN(len(data))
	switch random.IntN(4) {
	case 0:
		data[at] ^= 1 << random.IntN(8)
	case 1:
		data = slices.Delete(data, at, at+1)
	case 2:
		data = slices.Insert(data, at, byte(random.IntN(256)))
	case 3:
		data = data[:at]
	}
	files[name] = &fstest.MapFile{Data: data}
}
