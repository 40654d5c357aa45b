package transform

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestAReceivedDateThatMakesNoSenseMendsNoDate(t *testing.T) {
	const message = "From: ann@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"
	for internalDate, want := range map[time.Time]string{
		{}: "", time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC): "", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC): "", received: "date",
	} {
		d, err := Scan(internalDate, strings.NewReader(message))
		var keys []string
		for _, n := range d.needs {
			keys = append(keys, n.Key)
		}
		if got := strings.Join(keys, " "); err != nil || got != want {
			t.Errorf("%v: needs %q, error %v, want %q", internalDate, got, err, want)
		}
		var b strings.Builder
		if _, err := io.Copy(&b, Reader([]string{date.Note}, internalDate, strings.NewReader(message))); err != nil || strings.HasPrefix(b.String(), "Date: ") != (want != "") {
			t.Errorf("%v: it becomes %q, error %v", internalDate, b.String(), err)
		}
	}
}
