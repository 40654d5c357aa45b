package live

import (
	"fmt"
	"strings"
	"testing"
)

func TestOnlyLinesThatChangedAreSent(t *testing.T) {
	text := "one\ntwo\nthree"
	s := screen{frame: func(int, int) string { return text }}
	for _, step := range []struct{ text, want string }{
		{"one\ntwo\nthree", "\x1b[2J\x1b[1;1Hone\x1b[0m\x1b[K\x1b[2;1Htwo\x1b[0m\x1b[K\x1b[3;1Hthree\x1b[0m\x1b[K"},
		{"one\ntwo\nthree", ""},
		{"one\n2\nthree", "\x1b[2;1H2\x1b[0m\x1b[K"},
		{"one", "\x1b[2;1H\x1b[0m\x1b[K\x1b[3;1H\x1b[0m\x1b[K"},
		{"one\n\nthree\n", "\x1b[3;1Hthree\x1b[0m\x1b[K"},
	} {
		text = step.text
		if got := string(s.draw(80, 24)); got != step.want {
			t.Errorf("%q: sent %q, want %q", step.text, got, step.want)
		}
	}
}

func TestAnotherSizeDrawsEverythingAnew(t *testing.T) {
	s := screen{frame: func(width, height int) string { return fmt.Sprint(width, " ", height) }}
	s.draw(80, 24)
	for _, size := range [][2]int{{81, 24}, {81, 23}} {
		got := string(s.draw(size[0], size[1]))
		if !strings.HasPrefix(got, erase) || !strings.Contains(got, fmt.Sprint(size[0], " ", size[1])) {
			t.Errorf("%v: %q", size, got)
		}
	}
	if got := s.draw(0, 0); len(got) > 0 {
		t.Errorf("on no screen at all: %q", got)
	}
}

func TestAFrameNeverGoesBeyondTheScreen(t *testing.T) {
	s := screen{frame: func(int, int) string { return strings.Repeat("line\n", 100) }}
	if got := string(s.draw(80, 5)); strings.Count(got, "line") != 5 {
		t.Errorf("%q", got)
	}
}

func TestAViewThatIsBrokenStopsNothing(t *testing.T) {
	s := screen{frame: func(int, int) string { panic("no") }}
	if got := string(s.draw(80, 24)); !strings.Contains(got, "This view is broken, the work goes on: no") {
		t.Errorf("%q", got)
	}
}
