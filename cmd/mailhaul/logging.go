package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/oauth2"

	"github.com/mailhaul/mailhaul/cmd/mailhaul/logs"
	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph"
)

// LogConfig is the section on the log.
type LogConfig struct {
	File     string `toml:"file"` // "" in the document means beside the checkpoints, by their name
	Level    string `toml:"level"`
	Format   string `toml:"format"`
	MaxSize  string `toml:"max_size"`
	MaxFiles int    `toml:"max_files"`

	mebibytes int // MaxSize
}

const leastLog = 1 << 20

func (l *LogConfig) check(d *document) {
	d.oneOf("log.level", l.Level, "debug", "info", "warn", "error", "off")
	d.oneOf("log.format", l.Format, "text", "json")
	size, ok := parseSize(l.MaxSize)
	if !ok || size < leastLog || size > 1<<40 {
		d.reject("log.max_size", `want a size from 1MiB to 1TiB, as in max_size = "10MiB", not %q`, l.MaxSize)
	}
	l.mebibytes = int(size >> 20)
	d.between("log.max_files", l.MaxFiles, 1, 1000)
}

// open opens the log, which secrets are kept out of. Without one the handler
// is nil.
func (l LogConfig) open(secrets *logs.Secrets) (*logs.Handler, io.Closer, error) {
	if l.Level == "off" {
		return nil, nil, nil
	}
	f, err := logs.Open(l.File, l.mebibytes, l.MaxFiles)
	if err != nil {
		return nil, nil, withHint(fmt.Errorf("the log cannot be written: %w", err), logHint)
	}
	level := map[string]slog.Level{"debug": slog.LevelDebug, "warn": slog.LevelWarn, "error": slog.LevelError}[l.Level]
	return logs.NewHandler(f, l.Format, level, secrets), f, nil
}

const logHint = `Nothing was started. See that you may write there and that the disk is not full, name another file with file in [log], or go without with level = "off".`

// What a command's context carries.
type (
	loggerKey struct{}
	tracerKey struct{}
)

// logger returns the log of the command that ctx belongs to. What is written
// to it is lost if it keeps none.
func logger(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return l
	}
	return slog.New(slog.DiscardHandler)
}

// tracer returns the trace that was asked for, or nil.
func tracer(ctx context.Context) *logs.Trace {
	t, _ := ctx.Value(tracerKey{}).(*logs.Trace)
	return t
}

// logged makes a command keep the log of the migration, from its start to its
// exit code. It does nothing if the log cannot be written. Mistakes in the
// configuration are left to the command to report.
func logged(c *cobra.Command) *cobra.Command {
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		path, _ := c.Flags().GetString("config")
		config, err := loadConfig(path)
		if err != nil {
			return run(c, args)
		}
		handler, file, err := config.Log.open(&secrets)
		if err != nil {
			return err
		}
		if handler == nil {
			return run(c, args)
		}
		defer file.Close()
		l := slog.New(handler).With("command", c.Name())
		begins := slog.NewRecord(time.Now(), slog.LevelInfo, "begins", 0)
		begins.AddAttrs(config.origin(path, c.Flags())...)
		if err := l.Handler().Handle(c.Context(), begins); err != nil {
			return withHint(fmt.Errorf("the log cannot be written: %w", err), logHint)
		}
		fmt.Fprintf(c.ErrOrStderr(), "The log is %s\n", config.Log.File)
		begun := time.Now()
		stop := context.AfterFunc(c.Context(), func() { l.Warn("is told to stop", "cause", context.Cause(c.Context())) })
		c.SetContext(context.WithValue(c.Context(), loggerKey{}, l))
		err = run(c, args)
		stop()
		reason, hint := "", ""
		exit := exitOf(c.Context(), err)
		if exit.err != nil {
			reason, hint = migrate.Explain(exit.err)
		}
		level := slog.LevelInfo
		if exit.code == exitError {
			level = slog.LevelError
		}
		l.Log(context.WithoutCancel(c.Context()), level, "ends", "exit_code", exit.code, "took", time.Since(begun).Round(time.Millisecond), "reason", reason, "hint", hint)
		fmt.Fprintf(c.ErrOrStderr(), "The log is %s\n", config.Log.File)
		if n, why := handler.Lost(); n > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "At its end it lacks %s: %v\n", count(int64(n), "record", "records"), why)
		}
		return err
	}
	return c
}

// origin is what tells one run from another. The digest is that of all values
// of the configuration but for the arguments of commands, which may be secret.
func (c *Config) origin(path string, flags *pflag.FlagSet) []slog.Attr {
	digest := sha256.New()
	for section, keys := range reflect.ValueOf(*c).Fields() {
		if keys.Kind() != reflect.Struct {
			continue
		}
		for field, value := range keys.Fields() {
			switch key := field.Tag.Get("toml"); {
			case key == "":
			case strings.HasSuffix(key, "_command") && value.Len() > 0:
				fmt.Fprintf(digest, "%s.%s = %q\n", section.Name, key, value.Index(0))
			default:
				fmt.Fprintf(digest, "%s.%s = %q\n", section.Name, key, fmt.Sprint(value))
			}
		}
	}
	var given []string
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "config" {
			given = append(given, "--"+f.Name+"="+f.Value.String())
		}
	})
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	return []slog.Attr{
		slog.String("version", version()), slog.String("system", runtime.GOOS+" "+runtime.GOARCH), slog.Int("pid", os.Getpid()),
		slog.String("config", path), slog.String("digest", fmt.Sprintf("%x", digest.Sum(nil)[:8])),
		slog.String("flags", strings.Join(given, " ")), slog.String("target", c.Target.Kind), slog.Int("jobs", c.Run.Jobs),
	}
}

// version is that of the module and of its source.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := b.Main.Version
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			v += " " + strings.TrimPrefix(s.Key, "vcs.") + " " + s.Value
		}
	}
	return v
}

// logEvents writes the events of a run into the log.
func logEvents(l *slog.Logger) events {
	return func(e event) {
		level := slog.LevelInfo
		if e.Reason != "" {
			level = slog.LevelWarn
		}
		r := slog.NewRecord(e.Time, level, string(e.Kind), 0)
		r.Add("text", e.Text, "mailbox", e.Mailbox, "reason", e.Reason, "hint", e.Hint)
		if !e.Until.IsZero() {
			r.Add("until", e.Until)
		}
		if t := e.Tally; t != (tally{}) {
			r.Add(slog.Group("tally", "mailboxes", t.Mailboxes, "complete", t.Complete, "trouble", t.Trouble, "messages", t.Messages,
				"bytes", t.Bytes, "new", t.New, "failed", t.Failed, "pending", t.Pending))
		}
		_ = l.Handler().Handle(context.Background(), r) // the handler counts what it cannot write
	}
}

const traceWarning = "All that goes over the connections is written to %s: addresses, names of folders and header fields of HTTP, but no credentials and nothing of a message. It grows by a few lines for each message. Remove it when you are done.\n"

// traced adds --trace to a command.
func traced(c *cobra.Command) *cobra.Command {
	var path string
	c.Flags().StringVar(&path, "trace", "", "write all that goes over the connections to this `file`, without credentials and mail")
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if path == "" {
			return run(c, args)
		}
		t, err := logs.Create(path, &secrets)
		if err != nil {
			return &codeError{exitUsage, withHint(fmt.Errorf("--trace: %w", err), "Name a file that does not exist, in a folder where you may write.")}
		}
		fmt.Fprintf(c.ErrOrStderr(), traceWarning, path)
		c.SetContext(context.WithValue(c.Context(), tracerKey{}, t))
		err = run(c, args)
		if incomplete := t.Close(); incomplete != nil {
			fmt.Fprintf(c.ErrOrStderr(), "The trace ends before its end: %v\n", incomplete)
		}
		return err
	}
	return c
}

// traceIMAP is what a source needs for the trace that was asked for, if any.
func traceIMAP(ctx context.Context, label string) func() (sent, received io.Writer) {
	t := tracer(ctx)
	if t == nil {
		return nil
	}
	return func() (sent, received io.Writer) { return t.IMAP(label) }
}

// traceHTTP is what a target needs for it. Who made own closes its connections.
func traceHTTP(ctx context.Context, label string, own func() *http.Transport) http.RoundTripper {
	t := tracer(ctx)
	if t == nil {
		return nil
	}
	return t.HTTP(label, own())
}

// knownTokens makes tokens secret that a login gives.
type knownTokens struct{ oauth2.TokenSource }

func (k knownTokens) Token() (*oauth2.Token, error) {
	t, err := k.TokenSource.Token()
	if err == nil {
		secrets.Add(t.AccessToken)
	}
	return t, err
}

// knownToken does so for Microsoft's.
func knownToken(token graph.Token) graph.Token {
	return func(ctx context.Context, refused string) (string, error) {
		t, err := token(ctx, refused)
		secrets.Add(t)
		return t, err
	}
}
