package main

import (
	"github.com/mailhaul/mailhaul/cmd/mailhaul/metrics"
)

// MetricsConfig is the section on what Prometheus may read.
type MetricsConfig struct {
	Listen     string `toml:"listen"`
	PerMailbox bool   `toml:"per_mailbox"`
}

func (m MetricsConfig) check(d *document) {
	if m.Listen == "" {
		return
	}
	if err := metrics.CheckAddress(m.Listen); err != nil {
		d.reject("metrics.listen", `%v: want a port of this machine, as in listen = "127.0.0.1:9464"`, err)
	}
}

// measure serves metrics of a run until the function that it returns is called;
// none if no address is set. The Run must be told where to look.
func (c *Config) measure() (*metrics.Run, func(), error) {
	run := metrics.NewRun(version(), c.Metrics.PerMailbox)
	if c.Metrics.Listen == "" {
		return run, func() {}, nil
	}
	stop, err := run.Serve(c.Metrics.Listen)
	if err != nil {
		return nil, nil, withHint(err, "Name a free port with listen in [metrics].")
	}
	return run, stop, nil
}
