package canon

import (
	"strings"
	"testing"
)

func sum(t testing.TB, s string) *Form {
	t.Helper()
	f, err := Sum(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
