package gmailsim

import (
	"slices"
	"strings"
	"testing"
)

func TestADefectIsRefusedWhereItIsGiven(t *testing.T) {
	const (
		id    = "From: ann@example.com\r\nMessage-ID: <1@example.com>\r\n"
		sound = id + "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		mixed = sound + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	)
	all := []Defect{DefectNUL, DefectLineEnd, DefectLongLine, DefectHeader8Bit, DefectContentType, DefectCharset, DefectMessageID, DefectNoMessageID, DefectNoDate}
	for message, want := range map[string]Defect{
		sound + "\r\nbody": "",
		sound + "Subject: =?utf-8?q?=C3=BC?=\r\n\r\n\xfc\r\n":               "",
		sound + "\r\n" + strings.Repeat("x", 998) + "\r\n":                  "",
		mixed + "Content-Type: text/plain; charset=ISO-8859-1\r\n\r\n--b--": "",
		sound + "\r\na\x00":                       DefectNUL,
		sound + "\r\na\nb":                        DefectLineEnd,
		sound + "\r\na\rb":                        DefectLineEnd,
		sound + "\r\na\r\rb":                      DefectLineEnd,
		sound + "\r\n" + strings.Repeat("x", 999): DefectLongLine,
		sound + "X: " + strings.Repeat("x", 996) + "\r\n\r\nbody":         DefectLongLine,
		sound + "X: \xfc\r\n\r\nbody":                                     DefectHeader8Bit,
		mixed + "X: ü\r\n\r\ntext\r\n--b--":                               DefectHeader8Bit,
		sound + "Content-Type: text\r\n plain\r\n\r\nbody":                DefectContentType,
		mixed + "Content-Type: a/b; c=d; c=e\r\n\r\ntext\r\n--b--":        DefectContentType,
		mixed + "Content-Type: text/html; charset=x\r\n\r\ntext\r\n--b--": DefectCharset,
		sound[:23] + "Message-ID: 1@example.com\r\n" + sound[len(id):]:    DefectMessageID,
		sound[:23] + "Message-ID:\r\n" + sound[len(id):]:                  DefectNoMessageID,
		sound[:23] + sound[len(id):]:                                      DefectNoMessageID,
		id + "\r\nbody":                                                   DefectNoDate,
		id + "Date: yesterday\r\n\r\nbody":                                DefectNoDate,
	} {
		for _, d := range all {
			if got := defective([]byte(message), []Defect{d}); got != (d == want) {
				t.Errorf("%.120q: %s is %v, want %q", message, d, got, want)
			}
		}
		if defective([]byte(message), nil) {
			t.Errorf("%.120q is refused though nothing is given", message)
		}
		if got := defective([]byte(message), slices.DeleteFunc(slices.Clone(all), func(d Defect) bool { return d == want })); got {
			t.Errorf("%.120q is refused for another defect than %q", message, want)
		}
	}
}
