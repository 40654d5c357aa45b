package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailhaul/mailhaul/targets/gmail/gmailsim"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// A simulator is a local stand-in for a vendor.
type simulator interface {
	http.Handler
	Dump(dir string) error
	Close() error
}

func newSimulateCommand() *cobra.Command {
	var listen, quota, fault, dump string
	var latency time.Duration
	var seed uint64
	var users []string
	c := &cobra.Command{
		Use:   "simulate gmail|graph",
		Short: "Serve a simulator of Gmail or Microsoft Graph on this machine",
		Long: `simulate serves a local stand-in for the Gmail API or for Microsoft Graph, for
rehearsals and tests. It keeps what it is given until Ctrl-C, and then writes it
to the folder named by --dump: index.json with labels or folders, flags and
dates, and each message as an .eml file.

It accepts the bearer token "test". Every address has a mailbox, unless --user
names those that exist. It listens on loopback addresses only.

--quota enforces a vendor's limits:
  gmail  none, new, legacy, or a number of units per minute and user
  graph  none or documented
--fault makes calls fail, each with a probability, or the N-th write alone, as in
"lost-reply:0.01,503:0.02" or "lost-reply@7". Among the kinds are lost-reply (the
write takes effect, the connection closes unanswered), cut (the connection closes
before), 429, 500 and 503.

Exit codes:
  0    ended by Ctrl-C, and the dump is written if one was asked for
  1    fatal error
  2    the command line is wrong`,
		Example: `  mailhaul simulate gmail --listen 127.0.0.1:8900 --quota new --dump dump`,
		Args:    cobra.ExactArgs(1), ValidArgs: []string{"gmail", "graph"},
		RunE: func(c *cobra.Command, args []string) error {
			sim, err := newSimulator(args[0], quota, fault, latency, seed, users)
			if err != nil {
				return &codeError{exitUsage, err}
			}
			defer sim.Close()
			url, stop, err := serve(listen, sim)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), url)
			fmt.Fprintf(c.ErrOrStderr(), "Serving %s at %s until Ctrl-C. In mailhaul.toml:\n\n[%s]\nendpoint = %q\n\n", args[0], url, args[0], url)
			<-c.Context().Done()
			stop()
			if dump == "" {
				return nil
			}
			if err := sim.Dump(dump); err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "Everything that arrived is in %s.\n", dump)
			return nil
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "loopback `address` and port to listen on; port 0 takes a free one")
	c.Flags().StringVar(&quota, "quota", "none", "`limits` to enforce")
	c.Flags().StringVar(&fault, "fault", "", "`faults` to make")
	c.Flags().Uint64Var(&seed, "seed", 1, "of the faults, so that a run can be repeated")
	c.Flags().DurationVar(&latency, "latency", 0, "added to every call")
	c.Flags().StringVar(&dump, "dump", "", "`folder` to write everything to at the end")
	c.Flags().StringSliceVar(&users, "user", nil, "an `address` that exists (may be repeated; default: all do)")
	return c
}

func newSimulator(kind, quota, fault string, latency time.Duration, seed uint64, users []string) (simulator, error) {
	switch kind {
	case "gmail":
		q, err := gmailsim.ParseQuota(quota)
		if err != nil {
			return nil, err
		}
		f, err := gmailsim.ParseFaults(fault)
		if err != nil {
			return nil, err
		}
		return gmailsim.New(gmailsim.Options{Quota: q, Fault: f, Seed: seed, Latency: latency, Users: users})
	case "graph":
		var q graphsim.Quota
		switch quota {
		case "", "none":
		case "documented":
			q = graphsim.Quota{Requests: 10_000, Concurrent: 4, Upload: 150_000_000}
		default:
			return nil, fmt.Errorf("quota %q: want none or documented", quota)
		}
		f, err := graphsim.ParseFaults(fault)
		if err != nil {
			return nil, err
		}
		return graphsim.New(graphsim.Options{Quota: q, Faults: f, Seed: seed, Latency: latency, Users: users})
	}
	return nil, fmt.Errorf("no simulator of %q: use gmail or graph", kind)
}

// serve answers HTTP on a loopback address until stop is called.
func serve(listen string, h http.Handler) (url string, stop func(), err error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || !isLoopback(host) {
		return "", nil, &codeError{exitUsage, fmt.Errorf("%q is not a loopback address with a port, such as 127.0.0.1:8900", listen)}
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return "http://" + l.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if errors.Is(server.Shutdown(ctx), context.DeadlineExceeded) {
			server.Close()
		}
		<-done
	}, nil
}
