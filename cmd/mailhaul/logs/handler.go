package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"
)

// maxText is how many octets of a text are written; servers choose some.
const maxText = 4 << 10

// NewHandler returns a handler that writes records without secrets to w, in
// the format "text" or "json". Attributes whose keys say that they are secret
// are hidden whatever they hold. Empty texts are left out. Of values that are
// neither numbers, times, groups, texts nor lists of them, and that have no text
// of their own, only the type is written, since secrets in them could not be
// seen. A record that cannot be written is counted,
// and the next one that can is followed by one that says so.
func NewHandler(w io.Writer, format string, level slog.Level, secrets *Secrets) *Handler {
	options := &slog.HandlerOptions{Level: level}
	var inner slog.Handler = slog.NewTextHandler(w, options)
	if format == "json" {
		inner = slog.NewJSONHandler(w, options)
	}
	return &Handler{inner, secrets, new(losses)}
}

// A Handler keeps secrets out of records.
type Handler struct {
	inner   slog.Handler
	secrets *Secrets
	losses  *losses
}

// losses are records that could not be written.
type losses struct {
	mu  sync.Mutex
	n   int
	err error // why the latest one could not
}

func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	err := h.inner.Handle(ctx, clean)
	h.losses.mu.Lock()
	defer h.losses.mu.Unlock()
	if err != nil {
		h.losses.n, h.losses.err = h.losses.n+1, err
		return err
	}
	if h.losses.n > 0 {
		lost := slog.NewRecord(time.Now(), slog.LevelWarn, "records are missing here: the log could not be written", 0)
		lost.Add("records", h.losses.n, "error", h.text(h.losses.err.Error()))
		if err = h.inner.Handle(ctx, lost); err == nil {
			h.losses.n, h.losses.err = 0, nil
		}
	}
	return err
}

// Lost says how many records are missing at the end of the log, and why.
func (h *Handler) Lost() (n int, err error) {
	h.losses.mu.Lock()
	defer h.losses.mu.Unlock()
	return h.losses.n, h.losses.err
}

func (h *Handler) WithAttrs(as []slog.Attr) slog.Handler {
	return &Handler{h.inner.WithAttrs(h.attrs(as)), h.secrets, h.losses}
}

func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.inner.WithGroup(name), h.secrets, h.losses}
}

func (h *Handler) text(s string) string {
	s = h.secrets.Redact(s)
	if len(s) > maxText {
		return fmt.Sprintf("%s... (%d octets)", strings.ToValidUTF8(s[:maxText], ""), len(s))
	}
	return s
}

func (h *Handler) attrs(as []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(as))
	for i, a := range as {
		clean[i] = h.attr(a)
	}
	return clean
}

func (h *Handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	a.Key = h.text(a.Key)
	switch {
	case secretKey(a.Key):
		v = slog.StringValue(Hidden)
	case v.Kind() == slog.KindGroup:
		v = slog.GroupValue(h.attrs(v.Group())...)
	case v.Kind() == slog.KindString:
		v = slog.StringValue(h.text(v.String()))
	case v.Kind() == slog.KindAny && v.Any() != nil:
		v = slog.StringValue(h.text(plain(v.Any())))
	}
	if v.Kind() == slog.KindString && v.String() == "" {
		return slog.Attr{}
	}
	return slog.Attr{Key: a.Key, Value: v}
}

func plain(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case []string:
		return strings.Join(v, " ")
	}
	if k := reflect.ValueOf(v).Kind(); k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("(%T)", v)
}

// secretKey says whether an attribute is a secret by its name.
func secretKey(key string) bool {
	key = strings.ToLower(key)
	for _, name := range []string{"password", "passwd", "secret", "token", "authorization", "cookie", "credential"} {
		if strings.Contains(key, name) {
			return true
		}
	}
	return false
}
