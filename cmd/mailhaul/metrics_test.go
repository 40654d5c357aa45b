package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestARunServesMetricsOnlyWhereThatIsAskedFor(t *testing.T) {
	c := defaults()
	run, stop, err := c.measure()
	if err != nil || run == nil {
		t.Fatal(err)
	}
	stop()
	s := httptest.NewServer(nil)
	defer s.Close()
	c.Metrics.Listen = strings.TrimPrefix(s.URL, "http://") // taken, so that it shows that it is tried
	if _, _, err := c.measure(); err == nil || !strings.Contains(err.Error(), "Name a free port") {
		t.Error(err)
	}
}
