package graphsim

import (
	"reflect"
	"testing"
)

func faults(t *testing.T, s string) Faults {
	t.Helper()
	f, err := ParseFaults(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestALostReplyCommitsAndACutDoesNot(t *testing.T) {
	c := newClient(t, Options{Faults: faults(t, "lost-reply@1, cut@2,503@3")})
	if _, err := c.try("POST", "/messages", b64(sample)); !aborted(err) {
		t.Errorf("lost reply: %v", err)
	}
	if n := len(c.sim.Messages(c.user)); n != 1 {
		t.Errorf("%d messages after a lost reply, want 1", n)
	}
	if _, err := c.try("POST", "/messages", b64(sample)); !aborted(err) {
		t.Errorf("cut: %v", err)
	}
	if n := len(c.sim.Messages(c.user)); n != 1 {
		t.Errorf("%d messages after a cut, want 1", n)
	}
	c.want(200, "GET", "/messages", nil) // reads do not count
	if a := c.want(503, "POST", "/messages", b64(sample)); a.header.Get("Retry-After") != "" {
		t.Error("503 has a Retry-After")
	}
	c.want(201, "POST", "/messages", b64(sample))
	if got, want := c.sim.Fired(), map[string]int{"lost-reply": 1, "cut": 1, "503": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("fired %v, want %v", got, want)
	}
}

func TestStatusFaults(t *testing.T) {
	for kind, code := range map[string]string{"401": "InvalidAuthenticationToken", "429": "TooManyRequests", "500": "InternalServerError", "503": "serviceNotAvailable"} {
		c := newClient(t, Options{Faults: faults(t, kind+"@1")})
		status := map[string]int{"401": 401, "429": 429, "500": 500, "503": 503}[kind]
		c.refused(status, code, "POST", "/messages", b64(sample))
		c.want(201, "POST", "/messages", b64(sample))
	}
	for kind, status := range map[string]int{"502": 502, "504": 504, "509": 509, "corrupt": 500} {
		newClient(t, Options{Faults: faults(t, kind+"@1")}).want(status, "POST", "/messages", b64(sample))
	}
}

func TestADeltaTokenDies(t *testing.T) {
	c := newClient(t, Options{Faults: faults(t, "410@2")})
	_, link := c.all("/mailFolders/inbox/messages/delta")
	c.refused(410, "SyncStateNotFound", "GET", link, nil)
	c.want(200, "GET", link, nil)
}

func TestRandomFaultsFollowTheirSeed(t *testing.T) {
	run := func(seed uint64) (statuses []int) {
		c := newClient(t, Options{Faults: faults(t, "503:0.3,504:0.2"), Seed: seed})
		for range 40 {
			a, err := c.try("GET", "/mailFolders", nil)
			if err != nil {
				t.Fatal(err)
			}
			statuses = append(statuses, a.status)
		}
		if f := c.sim.Fired(); f["503"] == 0 || f["504"] == 0 || f["503"]+f["504"] == 40 {
			t.Errorf("fired %v", f)
		}
		return statuses
	}
	a, b, other := run(1), run(1), run(2)
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, other) {
		t.Error("the seed does not decide")
	}
}

func TestUnknownFaultsAreRefused(t *testing.T) {
	for _, s := range []string{"explode:0.1", "503", "503:2", "503:x", "503:NaN", "503@0", "503@x", "503@1,cut@1"} {
		if _, err := ParseFaults(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
	if _, err := ParseFaults(""); err != nil {
		t.Error(err)
	}
}
