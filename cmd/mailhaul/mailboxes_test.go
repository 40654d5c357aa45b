package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestMailboxesAreReadHoweverTheListWasSaved(t *testing.T) {
	want := []Mailbox{
		{Source: "anna", Target: "anna@example.org", Wave: "pilot"},
		{Source: "bruno@example.com", Target: "b.keller@example.org"},
	}
	for name, text := range map[string]string{
		"plain":           "source,target,wave\nanna,anna@example.org,pilot\nbruno@example.com,b.keller@example.org,\n",
		"semicolons":      "source;target;wave\nanna;anna@example.org;pilot\nbruno@example.com;b.keller@example.org;\n",
		"BOM and CRLF":    "\xef\xbb\xbfsource,target,wave\r\nanna,anna@example.org,pilot\r\nbruno@example.com,b.keller@example.org\r\n",
		"other order":     "Wave,TARGET,Source\npilot,anna@example.org,anna\n,b.keller@example.org,bruno@example.com",
		"blanks, remarks": "# a, b; c; d\n\nsource , target,wave,\n# anna\n\n \"anna\", anna@example.org ,pilot,,\n,,\n   \nbruno@example.com,b.keller@example.org,,\n",
	} {
		got, err := loadMailboxes(written(t, "mailboxes.csv", text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range got {
			if got[i].Line == 0 {
				t.Errorf("%s: %s has no line", name, got[i].Source)
			}
			got[i].Line = 0
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

func TestAMailboxHasItsOwnPassword(t *testing.T) {
	path := written(t, "mailboxes.csv", "source,target,password_file,password_command,password_env\n"+
		"a,a@example.org,a.txt,,\nb,b@example.org,,pass  show mail/b,\nc,c@example.org,,,C\nd,d@example.org,,./print d,\n")
	dir := filepath.Dir(path)
	ms, err := loadMailboxes(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []SecretRef{
		{File: filepath.Join(dir, "a.txt")},
		{Command: []string{"pass", "show", "mail/b"}},
		{Env: "C"},
		{Command: []string{filepath.Join(dir, "print"), "d"}},
	} {
		if got := ms[i].Password; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", ms[i].Source, got, want)
		}
	}
}

func TestABadMailboxListIsExplained(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"many mistakes": {`source,target,wave,password_file,password_env
anna,anna@example.org,1,,
,bruno@example.org,1,,
chiyo,,1,,
Anna,a2@example.org,1,,
dora,ANNA@example.org,1,,
ernst,ernst,1,,
"fa"tima,fatima@example.org,1,,
grace,grace@example.org,1,f,E
henrik,henrik@example.org,1,,,,more
ines,Ines <ines@example.org>,1,,
` + "ju\x01les,jules@example.org\n",
			"mailboxes.csv:3: no source: write the login name at the old server in the column source\n" +
				"mailboxes.csv:4: no target: write the address of the new mailbox in the column target\n" +
				"mailboxes.csv:5: source \"Anna\" is on line 2 already: each mailbox may be there once\n" +
				"mailboxes.csv:6: target \"ANNA@example.org\" is on line 2 already: each mailbox may be there once\n" +
				"mailboxes.csv:7: target \"ernst\" is not an address, as in anna@example.com\n" +
				"mailboxes.csv:8: quotes are wrong: put the whole field in quotes and double those within, or use none\n" +
				"mailboxes.csv:9: set only one of password_file, password_command and password_env\n" +
				"mailboxes.csv:10: 7 fields, but there are 5 columns: put a field that has the separator in it in quotes\n" +
				"mailboxes.csv:11: target \"Ines <ines@example.org>\" is not an address, as in anna@example.com\n" +
				"mailboxes.csv:12: source \"ju\\x01les\" has control characters"},
		"unknown column": {"source,target,passwort,wave,wave\na,a@example.org,x,,\nb,,y,,\n",
			"mailboxes.csv:1: unknown column \"passwort\": there are source, target, wave, group, password_file, password_command, password_env\n" +
				"mailboxes.csv:1: column \"wave\" is there twice\n" +
				"mailboxes.csv:3: no target: write the address of the new mailbox in the column target"},
		"password column": {"source,target,password\na,a@example.org,hunter2\n",
			"mailboxes.csv:1: passwords do not belong in this file: use the column password_file, password_command or password_env"},
		"no header": {"# list\nanna@example.com,anna@example.org\nb,b@example.org\n",
			"mailboxes.csv:2: the first line must name the columns, as in source,target,wave"},
		"no target column": {"source,wave\na,1\n",
			`mailboxes.csv:1: no column "target": the first line must name the columns, as in source,target,wave`},
		"open quote": {"source,target\n\"anna,anna@example.org\nbruno,bruno@example.org\n",
			"mailboxes.csv:2: quotes are wrong: put the whole field in quotes and double those within, or use none"},
		"empty":       {"", "mailboxes.csv: no mailboxes: the first line must be source,target and each further one a mailbox"},
		"header only": {"source,target\n# nobody\n", "mailboxes.csv: no mailboxes: the first line must be source,target and each further one a mailbox"},
		"UTF-16":      {"\xff\xfes\x00", "mailboxes.csv: the file is UTF-16: save it as UTF-8"},
		"Latin-1":     {"source,target\na,a@example.org\nm\xfcller,m@example.org\n", "mailboxes.csv:3: not UTF-8: save the file as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadMailboxes(written(t, "mailboxes.csv", c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, c.want)
			}
		})
	}
}

func TestAMissingMailboxListNamesTheRemedy(t *testing.T) {
	_, err := loadMailboxes(filepath.Join(t.TempDir(), "mailboxes.csv"))
	if err == nil || !strings.Contains(err.Error(), "mailboxes in [run]") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoadMailboxes(f *testing.F) {
	f.Add(mailboxesTemplate)
	f.Add("source;target\n\"a\"\"b\";x@example.org\n'';\n")
	f.Fuzz(func(t *testing.T, text string) {
		ms, err := loadMailboxes(written(t, "mailboxes.csv", text))
		if err != nil {
			return
		}
		if len(ms) == 0 {
			t.Error("neither mailboxes nor an error")
		}
		for _, m := range ms {
			if m.Source == "" || !isAddress(m.Target) || m.Line == 0 || m.Password.ways() > 1 {
				t.Errorf("accepted %+v", m)
			}
		}
	})
}
