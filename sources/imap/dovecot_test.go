package imap

import (
	"context"
	"fmt"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func password(context.Context) (string, error) { return sourcetest.Password, nil }

// opener returns a function that opens the mailbox that config names.
func opener(config Config) func(testing.TB) migrate.Source {
	return func(tb testing.TB) migrate.Source {
		tb.Helper()
		s, err := Open(tb.Context(), config)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
}

func dovecotConfig(srv *sourcetest.Server, user string) Config {
	return Config{Host: srv.Host, Port: srv.TLSPort, CAFile: srv.CAFile, User: user, Secret: password}
}

func TestDovecotIsASource(t *testing.T) {
	for name, options := range map[string]sourcetest.Options{
		"separator slash":              {},
		"separator dot, prefix INBOX.": {Separator: ".", Prefix: "INBOX."},
	} {
		t.Run(name, func(t *testing.T) {
			srv := sourcetest.Dovecot(t, options)
			users := 0
			sourcetest.Test(t, func(testing.TB) sourcetest.Mailbox {
				users++
				user := fmt.Sprintf("user%d@example.org", users)
				return srv.Mailbox(user, opener(dovecotConfig(srv, user)))
			})
		})
	}
}

func TestMemoryServerIsASource(t *testing.T) {
	for name, caps := range map[string][]imap.Cap{
		"IMAP4rev1 alone": {imap.CapIMAP4rev1},
		"with extensions": {imap.CapIMAP4rev1, imap.CapNamespace, imap.CapListExtended, imap.CapListStatus, imap.CapSpecialUse, imap.CapStatusSize, imap.CapESearch, imap.CapUIDPlus},
	} {
		t.Run(name, func(t *testing.T) {
			srv := sourcetest.NewMemory(t, caps...)
			users := 0
			sourcetest.Test(t, func(tb testing.TB) sourcetest.Mailbox {
				users++
				user := fmt.Sprintf("user%d@example.org", users)
				return srv.Mailbox(tb, user, opener(Config{Host: srv.Host, Port: srv.Port, TLS: None, User: user, Secret: password}))
			})
		})
	}
}

func secret(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}
