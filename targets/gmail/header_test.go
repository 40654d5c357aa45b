package gmail

import (
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/targets/targettest"
)

func TestADateIsOneThatEveryFieldAgreesToBe(t *testing.T) {
	for header, ok := range map[string]bool{
		"Date: Fri, 03 Jul 2009 14:15:16 +0000\r\n\r\n":                  true,
		"date:Fri, 03 Jul 2009 14:15:16 +0000\r\n\r\n":                   true,
		"Subject: x\nDate: Fri, 03 Jul 2009\n 14:15:16\n\t+0000\n\nbody": true,
		"Date: 3 Jul 2009 14:15 GMT":                                     true,
		"Date: Fri, 03 Jul 2009 14:15:16 +0000 (a comment)\r\n":          true,
		"": false,
		"Subject: x\r\n\r\nDate: Fri, 03 Jul 2009 14:15:16 +0000\r\n": false,
		"Subject: x\r\n Date: Fri, 03 Jul 2009 14:15:16 +0000\r\n":    false,
		"Date:\r\n\r\n": false,
		"Date: Fri, 03 Jul 2009 25:61:00 +0000\r\n\r\n":                          false,
		"Date: yesterday\r\n\r\n":                                                false,
		"Date: " + strings.Repeat("x", 1<<20):                                    false,
		"Date: 3 Jul 2009 14:15 GMT\r\nDate: 4 Jul 2009 14:15 GMT\r\n\r\n":       true,
		"Date: 3 Jul 2009 14:15 GMT\r\nDate: yesterday\r\n\r\n":                  false,
		"X: " + strings.Repeat("x", 8192) + "\r\nDate: 3 Jul 2009 14:15 +0000\n": true,
		strings.Repeat("X: y\r\n", maxHeader):                                    false,
		"Date: 3\r\n" + strings.Repeat(" x\r\n", 100_000):                        false,
	} {
		_, got, err := dateOf(targettest.Message([]byte(header), ""))
		if err != nil || got != ok {
			t.Errorf("%.80q: %v, error %v, want %v", header, got, err, ok)
		}
	}
}
