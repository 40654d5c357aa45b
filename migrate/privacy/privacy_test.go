package privacy

import (
	"strings"
	"testing"
)

var hashed = Policy{Level: Hashed, Key: []byte("a key")}

func TestAnAddressIsMasked(t *testing.T) {
	for address, want := range map[string]string{
		"anna.berg@example.com":       "a***@example.com",
		"ÖZGÜR@büro.example":          "Ö***@büro.example",
		"a@example.com":               "***@example.com",
		"@example.com":                "***@example.com",
		"anna":                        "a***",
		"a":                           "***",
		"":                            "***",
		`"anna berg"@example.com`:     "***@example.com",
		"anna@berg@example.com":       "a***@example.com",
		"anna@[192.0.2.1]":            "a***@[192.0.2.1]",
		"CORP\\anna":                  "C***",
		"anna@":                       "a***",
		"anna@example.com is my name": "a***",
		"\xff\xfe@example.com":        "***@example.com",
		"\u202eanna@example.com":      "***@example.com",
	} {
		if got := (Policy{}).Address(address); got != want {
			t.Errorf("%q is masked as %q, want %q", address, got, want)
		}
	}
}

func TestAHashIsOfTheAddressAndTheKeyAndNothingElse(t *testing.T) {
	// printf %s anna@example.com | openssl dgst -sha256 -hmac 'a key'
	const want = "b71b6b4b302d4953"
	if got := hashed.Address("Anna@Example.com"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	other := Policy{Level: Hashed, Key: []byte("another key")}
	if other.Address("anna@example.com") == want || hashed.Address("anna@example.org") == want {
		t.Error("another key or address has the same hash")
	}
	if got := (Policy{Level: Hashed}).Address("anna@example.com"); got != "a***@example.com" {
		t.Errorf("without a key it is %s", got)
	}
}

func TestNoAddressInATextComesThrough(t *testing.T) {
	for _, text := range []string{
		"Check user name and password of anna-secret@example.com.",
		"<anna-secret@example.com>: 550",
		"anna-secret@example.com,anna-secret@example.org;anna-secret@a b@c",
		"https://graph.microsoft.com/v1.0/users/anna-secret%40example.com/messages",
		"https://graph.microsoft.com/v1.0/users/anna-secret@example.com/messages",
		`"anna-secret berg"@example.com said "hello"`,
		`"\"anna-secret\" berg"@example.com`,
		"x'anna-secret@example.com'",
		"mailto:anna-secret@example.com?subject=x",
		"anna-secret＠example.com", "anna-secret﹫example.com",
		"anna-secret@", "anna-secret@!", "anna-secret@@@example.com",
		"anna-secret\u200b@example.com", "anna-secret\x00@example.com", "anna-secret\xff@\xffexample.com",
		"(anna-secret@[2001:db8::1])",
		"u=anna-secret@example.com&p=1",
		"{anna-secret}@example.com, anna-secret{}@example.com, `|anna-secret`@example.com", // RFC 5322 section 3.2.3
		strings.Repeat("@", 1000) + "anna-secret@example.com",
		strings.Repeat("anna-secret@example.com", 1000),
	} {
		for _, p := range []Policy{{}, hashed} {
			if got := p.Text(text); strings.Contains(got, "secret") {
				t.Errorf("%s: %.200q of %.200q", p.Level, got, text)
			}
		}
		if got := (Policy{Level: Full}).Text(text); got != text {
			t.Errorf("in full %.200q became %.200q", text, got)
		}
	}
}

func TestTheRestOfATextStays(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"12 mailboxes are done.": "12 mailboxes are done.",
		"Check user name and password of bob@example.com.":    "Check user name and password of b***@example.com.",
		"bob@example.com: 5 (of cleo@example.org) at 12:05":   "b***@example.com: 5 (of c***@example.org) at 12:05",
		"3 @ 50%, 40% at most":                                "3 @ 50%, 40% at most",
		"Renew the token, then wait; see docs/unattended.md.": "Renew the token, then wait; see docs/unattended.md.",
	} {
		if got := (Policy{}).Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestNamesThatAreNoAddressesAreMaskedWhereTheyStandAlone(t *testing.T) {
	for text, want := range map[string]string{
		"Check the password of anna.":    "Check the password of a***.",
		"ANNA, (anna) and anna@x.org":    "a***, (a***) and a***@x.org",
		"Hannah, annabel and anna2 stay": "Hannah, annabel and anna2 stay",
		"Johanna stays":                  "Johanna stays",
		"anna anna":                      "a*** a***",
	} {
		if got := (Policy{}).Text(text, "", "anna"); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := (Policy{}).Text("of \xff.", "\xff"); got != "of ***." {
		t.Errorf("a name that is no text is masked as %q", got)
	}
	if got := hashed.Text("of anna+x.", "anna+x"); got != "of "+hashed.Address("anna+x")+"." {
		t.Errorf("hashed it is %q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("see ", "anna", "example.com", ".")
	f.Add(`"`, `anna" b`, "[", `"`)
	f.Fuzz(func(t *testing.T, before, local, domain, after string) {
		const marker = "zqmarkerqz"
		for _, p := range []Policy{{}, hashed} {
			if got := p.Text(before + " " + marker + "@" + domain + " " + after); strings.Contains(got, marker) {
				t.Errorf("an address comes through: %q", got)
			}
			if got := p.Address("x" + marker + local + "@" + domain); strings.Contains(got, marker) && !strings.Contains(domain, marker) {
				t.Errorf("a local part comes through: %q", got)
			}
			p.Text(before, local)
			if got := p.Text(before+" "+marker+" "+after, marker); strings.Contains(got, marker) {
				t.Errorf("a name comes through: %q", got)
			}
		}
	})
}

func TestASubjectIsShownAsFarAsTheLevelAllows(t *testing.T) {
	for subject, want := range map[string]string{
		"Offer for the house":   "Off***",
		"Offer no. 12":          "Off***",
		"Offer no. 1":           "Of***",
		"Lunch?":                "L***",
		"abc":                   "***",
		"Ä ö ü ß !":             "Ä***",
		"<b>Offer</b>":          "***",
		"\u202eOffer for house": "***",
		"\xff\xff\xff\xff":      "***",
		"":                      "",
	} {
		if got := (Policy{}).Subject(subject); got != want {
			t.Errorf("%q is masked as %q, want %q", subject, got, want)
		}
		if got := (Policy{Level: Hashed}).Subject(subject); got != want {
			t.Errorf("without a key %q is %q", subject, got)
		}
		if got := (Policy{Level: Full}).Subject(subject); got != subject {
			t.Errorf("%q is shown as %q", subject, got)
		}
	}
	// printf %s Offer | openssl dgst -sha256 -hmac 'a key'
	const want = "defef77fb69faf70"
	if got := hashed.Subject("Offer"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if hashed.Subject("offer") == want || hashed.Subject("") != "" {
		t.Error("the hash is not of the subject as it is")
	}
}

func TestAFolderIsShownPartByPart(t *testing.T) {
	path := []string{"Clients", "Smith & Sons", "ann@example.com"}
	if got := strings.Join((Policy{}).Folder(path), "/"); got != "Clients/Smith & Sons/a***@example.com" {
		t.Error(got)
	}
	if got := strings.Join((Policy{Level: Full}).Folder(path), "/"); got != "Clients/Smith & Sons/ann@example.com" {
		t.Error(got)
	}
	if got := hashed.Folder(path); len(got) != 3 || got[1] != hashed.Subject(path[1]) {
		t.Error(got)
	}
}

func TestAMessageIDIsHashedOrNotShown(t *testing.T) {
	const id = "<anna.1@mx.example.com>"
	if got := (Policy{}).MessageID(id); got != "" {
		t.Errorf("masked it is %q", got)
	}
	if got := (Policy{Level: Full}).MessageID(id); got != id {
		t.Errorf("in full it is %q", got)
	}
	if got := hashed.MessageID(id); len(got) != 16 || strings.Contains(got, "anna") || hashed.MessageID("") != "" {
		t.Errorf("hashed it is %q", got)
	}
}
