package document

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryValueIsWrittenForPeople(t *testing.T) {
	at := time.Date(2026, 11, 22, 15, 17, 0, 0, berlin)
	list := func(n int) List { return slices.Repeat(List{"a"}, n) }
	first20 := strings.Repeat("<bdi>a</bdi>, ", 19) + "<bdi>a</bdi>"
	for _, c := range []struct {
		value      Value
		text, kind string
	}{
		{nil, "", ""},
		{"<b>", "<bdi>&lt;b&gt;</bdi>", "words"},
		{true, "yes", "words"},
		{false, "no", "words"},
		{int64(1234), "1,234", "number"},
		{Bytes(18_200_000), "18.2\u00a0MB", "number"},
		{4.25, "4.25", "number"},
		{Percent(0.5), "50%", "number"},
		{200 * time.Minute, "3\u00a0h\u00a020\u00a0min", "number"},
		{Money{123450, "EUR"}, "EUR\u00a01,234.50", "number"},
		{at, "<time datetime=\"2026-11-22T14:17:00Z\"><span>22 Nov 2026,</span> 15:17\u00a0CET</time>", "time"},
		{Date(at), `<time datetime="2026-11-22"><span>22 Nov 2026</span></time>`, "time"},
		{Term{"a", "A & B", ""}, `<span class="term neutral">A &amp; B</span>`, "words"},
		{List{"a", "b"}, "<bdi>a</bdi>, <bdi>b</bdi>", "words"},
		{List{}, "", "words"},
		{list(20), first20, "words"},
		{list(21), first20 + " and one more", "words"},
		{list(22), first20 + " and 2 more", "words"},
	} {
		p := newPage(t)
		got, err := p.inline(c.value)
		if err != nil || string(got.html) != c.text || string(got.kind) != c.kind {
			t.Errorf("%#v: %v, %v", c.value, got, err)
		}
	}
	if got, err := newPage(t).inline(Term{"a", "A", Bad}); err != nil || !strings.Contains(string(got.html), "Needs attention:") || !strings.Contains(string(got.html), `class="term bad"`) {
		t.Errorf("a bad term: %v, %v", got, err)
	}
	if got, err := newPage(t).inline(Term{"a", "A", `"><script>`}); err != nil || strings.Contains(string(got.html), "script") {
		t.Errorf("a strange mood: %v, %v", got, err)
	}
	for _, v := range []Value{1, []byte("a"), struct{}{}, uint8(1)} {
		if _, err := newPage(t).inline(v); err == nil {
			t.Errorf("%T is a value", v)
		}
	}
}

func TestWithoutAZoneTimesAreInUTC(t *testing.T) {
	p := newPage(t)
	p.d.Zone = nil
	if got, _ := p.inline(time.Date(2026, 11, 22, 14, 17, 0, 0, berlin)); !strings.Contains(string(got.html), "22 Nov 2026,</span> 13:17\u00a0UTC") {
		t.Error(got)
	}
}

// newPage returns one on which nothing is written, in English and in Berlin.
func newPage(t *testing.T) *page {
	t.Helper()
	d := &Document{Language: language(t, "en"), Zone: berlin}
	texts, err := d.texts()
	if err != nil {
		t.Fatal(err)
	}
	return &page{w: bufio.NewWriter(io.Discard), d: d, l: d.Language, texts: texts}
}

func TestLongWordsMayBeBroken(t *testing.T) {
	for s, want := range map[string]string{
		"anna.berg@example.com":           `anna.berg<wbr class="paper">@example.com`,
		"person.number0@example.com":      `person.number0<wbr>@example.com`,
		"a/b":                             `a/<wbr class="paper">b`,
		"Projects 2019/Harbour and Quays": `Projects 2019/<wbr class="paper">Harbour and Quays`,
		"Projects_2019/Harbour":           `Projects_2019/<wbr>Harbour`,
		"@here":                           `@here`,
		strings.Repeat("x", 80):           "xxxxxxxxxxxxxxxxxx<wbr class=\"paper\">xxxxxxxxxxxxxxxxxx<wbr>xxxxxxxxxxxxxxxxxx<wbr class=\"paper\">xxxxxxxxxxxxxxxxxx<wbr>xxxxxxxx",
	} {
		if got := string(bdi(s)); got != "<bdi>"+want+"</bdi>" {
			t.Errorf("%q: %s", s, got)
		}
	}
}
