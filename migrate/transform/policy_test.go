package transform

import (
	"fmt"
	"strings"
	"testing"
)

const (
	dkim  = "DKIM-Signature: v=1; a=rsa-sha256; d=example.org;\r\n h=From : subject:Date; bh=x; b=y\r\n"
	smime = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\ntext%s\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n"
)

// signed returns an S/MIME message with that at the end of its text.
func signed(end string) string { return fmt.Sprintf(smime, end) }

func TestAPlanHasAFormForEachTransformThatMayBeTried(t *testing.T) {
	list := crlf("List-Id: x\nContent-Type: multipart/mixed; boundary=l\n\n--l\n") + signed("\n") + crlf("--l--\n")
	for _, test := range []struct {
		name, message string
		config        Config
		forms, hint   string
	}{
		{"sound", crlf(sound + "\nbody"), Config{}, "[[]]", ""},
		{"two defects", "Date: x\r\n\r\na\nb", Config{}, "[[] [from-repaired] [from-repaired line-ends-repaired] [from-repaired line-ends-repaired date-repaired]]", "allows that: missing_message_id."},
		{"one of them always", "Date: x\r\n\r\na\nb", Config{Policies: map[string]Policy{"date": Always, "missing_message_id": Always}},
			"[[message-id-invented date-repaired] [from-repaired message-id-invented date-repaired] [from-repaired line-ends-repaired message-id-invented date-repaired]]", ""},
		{"one of them never", "Date: x\r\n\r\na\nb", Config{Policies: map[string]Policy{"from": Never, "date": Never}}, "[[] [line-ends-repaired]]", "that: from, missing_message_id, date."},
		{"a receipt is no defect", crlf(sound + "Return-Receipt-To: x\n\nbody"), Config{}, "[[]]", ""},
		{"a receipt may be asked away", crlf(sound + "Return-Receipt-To: x\n\nbody"), Config{Policies: map[string]Policy{"receipt": Always}}, "[[receipt-request-disarmed]]", ""},

		{"DKIM covers From", dkim + crlf("Date: x\n\nbody"), Config{}, "[[]]", "It is signed or encrypted, which a change would break (from, date)"},
		{"DKIM does not cover it", dkim + crlf(sound[:66]+"MESSAGE-ID: 1@example.org\n\nbody"), Config{}, "[[] [message-id-repaired]]", ""},
		{"DKIM covers the body", dkim + crlf(sound+"\na") + "\nb", Config{}, "[[]]", "break (line_ends)"},
		{"DKIM may break", dkim + crlf(sound+"\na") + "\nb", Config{ChangeSigned: true}, "[[] [line-ends-repaired signature-broken]]", ""},
		{"DKIM without fields", "DKIM-Signature: x\r\n" + crlf(sound[28:]+"\nbody"), Config{}, "[[]]", "break (from)"},
		{"what is barred is not done always", dkim + crlf("Date: x\nMessage-ID: <1@example.org>\n\nbody"), Config{Policies: map[string]Policy{"date": Always, "from": Never}}, "[[]]", "break (date)"},

		{"S/MIME does not cover fields above", crlf("Date: x\nMESSAGE-ID: 1@example.org\nSubject: \xfc\n") + signed(""), Config{},
			"[[] [from-repaired] [from-repaired header-encoded] [from-repaired header-encoded message-id-repaired] [from-repaired header-encoded message-id-repaired date-repaired]]", ""},
		{"S/MIME covers the text", crlf(sound) + signed("\x00"), Config{}, "[[]]", "break (nul)"},
		{"S/MIME may break", crlf(sound) + signed("\x00"), Config{ChangeSigned: true}, "[[] [nul-octets-removed signature-broken]]", ""},
		{"S/MIME within a list's message", crlf(sound) + list, Config{}, "[[]]", "break (line_ends)"},
		{"encrypted mail", crlf(sound+"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n") + strings.Repeat("YWJj", 500), Config{}, "[[]]", "break (long_lines)"},
	} {
		d, err := Scan(received, strings.NewReader(test.message))
		if err != nil {
			t.Fatal(err)
		}
		plan := test.config.Plan(d)
		if got := fmt.Sprint(plan.Forms); got != test.forms || !strings.Contains(plan.Hint, test.hint) || (plan.Hint == "") != (test.hint == "") {
			t.Errorf("%s: forms %s, hint %q, want %s", test.name, got, plan.Hint, test.forms)
		}
	}
}

func TestOnlyWhatIsAlwaysDoneIsDoneUpfront(t *testing.T) {
	for policy, want := range map[Policy]bool{Never: false, WhenRefused: false, Always: true} {
		if got := (Config{Policies: map[string]Policy{"charset": policy}}).Upfront(); got != want {
			t.Errorf("%s: %v", policy, got)
		}
	}
}
