package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const marker = "MaRkEr-of-a-secret"

// A hideout is where a secret stands in a value.
type hideout struct{ Field string }

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.StringValue(marker) }

func TestNoValueOfARecordShowsASecret(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var secrets Secrets
		secrets.Add(marker)
		var out bytes.Buffer
		l := slog.New(NewHandler(&out, format, slog.LevelDebug, &secrets))
		l = l.With("with", marker, "error", errors.New(marker)).WithGroup("group").With(slog.Group("deeper", "key", marker))
		l.Debug("a message with "+marker,
			"text", marker, "error", fmt.Errorf("login: %w", errors.New(marker)), "struct", hideout{marker}, "pointer", &hideout{marker},
			"list", []string{marker}, "map", map[string]any{marker: hideout{marker}}, "octets", json.RawMessage(`"`+marker+`"`), "plain", []byte(marker), "valuer", valuer{},
			"nothing", nil, slog.Group("inner", slog.Any("any", []any{marker})), marker, "key", "password", "unknown to this process",
			"Client-Secret", 987654321, "took", time.Second)
		if strings.Contains(out.String(), marker) || strings.Contains(out.String(), "unknown to") || strings.Contains(out.String(), "987654321") || strings.Contains(out.String(), "77 97") {
			t.Errorf("%s: %s", format, out.String())
		}
		if n := strings.Count(out.String(), Hidden); n < 10 {
			t.Errorf("%s: only %d are hidden: %s", format, n, out.String())
		}
		if strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: more than one line: %q", format, out.String())
		}
	}
}

type uid uint32

type name string

func TestNumbersAndTextsOfTypesOfTheirOwnAreWritten(t *testing.T) {
	var out bytes.Buffer
	slog.New(NewHandler(&out, "text", slog.LevelInfo, new(Secrets))).Info("x", "uid", uid(7), "name", name("ann"), "empty", "", "none", name(""), "struct", hideout{"x"})
	if !strings.HasSuffix(out.String(), " msg=x uid=7 name=ann struct=(logs.hideout)\n") {
		t.Error(out.String())
	}
}

func TestALongTextIsCut(t *testing.T) {
	var out bytes.Buffer
	l := slog.New(NewHandler(&out, "text", slog.LevelInfo, new(Secrets)))
	l.Info("x", "long", strings.Repeat("ä", maxText))
	if n := out.Len(); n > maxText+200 || !strings.Contains(out.String(), fmt.Sprintf("(%d octets)", 2*maxText)) {
		t.Errorf("%d octets: %.100s", n, out.String())
	}
}

func TestARecordIsOneLineWhateverAServerSays(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		slog.New(NewHandler(&out, format, slog.LevelInfo, new(Secrets))).Info("x", "error", "one\r\ntwo\nlevel=ERROR\x1b[31m")
		if strings.Count(out.String(), "\n") != 1 || strings.ContainsAny(out.String(), "\r\x1b") {
			t.Errorf("%s: %q", format, out.String())
		}
	}
}

func TestOnlyTheLevelsAskedForAreWritten(t *testing.T) {
	var out bytes.Buffer
	l := slog.New(NewHandler(&out, "text", slog.LevelWarn, new(Secrets)))
	l.Info("quiet")
	l.Warn("loud")
	if strings.Contains(out.String(), "quiet") || !strings.Contains(out.String(), "loud") {
		t.Error(out.String())
	}
}

// A full disk takes nothing until there is room.
type fullDisk struct {
	bytes.Buffer
	full bool
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.full {
		return 0, errors.New("no space left on device, " + marker)
	}
	return d.Buffer.Write(p)
}

func TestRecordsThatAreLostAreCountedInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := new(fullDisk)
		var secrets Secrets
		secrets.Add(marker)
		h := NewHandler(disk, "text", slog.LevelInfo, &secrets)
		l := slog.New(h)
		l.Info("one")
		disk.full = true
		l.Info("two")
		l.With("more", 1).Info("three")
		if n, err := h.Lost(); n != 2 || err == nil {
			t.Errorf("%d records are lost, %v", n, err)
		}
		disk.full = false
		l.Info("four")
		l.Info("five")
		if n, err := h.Lost(); n != 0 || err != nil {
			t.Errorf("then %d records are lost, %v", n, err)
		}
		at := "time=" + time.Now().Format("2006-01-02T15:04:05.000Z07:00")
		want := at + " level=INFO msg=one\n" +
			at + " level=INFO msg=four\n" +
			at + ` level=WARN msg="records are missing here: the log could not be written" records=2 error="no space left on device, ` + Hidden + "\"\n" +
			at + " level=INFO msg=five\n"
		if disk.String() != want {
			t.Errorf("got\n%s\nwant\n%s", disk.String(), want)
		}
	})
}
