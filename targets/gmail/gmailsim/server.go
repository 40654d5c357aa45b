package gmailsim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Server is the simulator. It serves any number of requests at a time; the
// calls of one user that change something take turns.
type Server struct {
	o      Options
	octets *octets
	quota  *meters
	faults *faults
	tokens tokens

	mu      sync.Mutex
	boxes   map[string]*mailbox
	uploads map[string]*session
}

var _ http.Handler = (*Server)(nil)

// New returns a server without messages. Close removes what it keeps on disk.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.ParkTime == 0 {
		o.ParkTime = 15 * time.Minute
	}
	if o.UploadLife == 0 {
		o.UploadLife = 7 * 24 * time.Hour
	}
	if len(o.Tokens) == 0 {
		o.Tokens = []string{"test"}
	}
	if o.LabelKey == nil {
		o.LabelKey = labelKey
	}
	if o.Blocked == nil {
		o.Blocked = strings.Fields(blockedExtensions)
	}
	faults, err := newFaults(o.Fault, o.Seed)
	if err != nil {
		return nil, err
	}
	file, err := newOctets()
	if err != nil {
		return nil, err
	}
	return &Server{
		o:       o,
		octets:  file,
		quota:   newMeters(o.Quota),
		faults:  faults,
		tokens:  tokens{issued: map[string]grant{}, expired: map[string]bool{}},
		boxes:   map[string]*mailbox{},
		uploads: map[string]*session{},
	}, nil
}

// Close removes the messages from disk. Requests fail from then on.
func (s *Server) Close() error { return s.octets.close() }

// A call is one request to the API.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	route  *route
	args   []string // what the route's wildcards stand for
	upload bool     // the path is one of media upload
	query  url.Values
	box    *mailbox
	arrive uint64 // number of this request among those of the user
	now    time.Time
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		s.serveToken(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, signPrefix) && strings.HasSuffix(r.URL.Path, signSuffix) {
		s.serveSign(w, r)
		return
	}
	err := s.serve(w, r)
	if err == nil {
		return
	}
	// A client that is still sending would see a reset, not the answer.
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxUpload+maxUpload/2))
	switch e := err.(type) {
	case *refusal:
		e.write(w)
	case drop:
		panic(http.ErrAbortHandler) // closes the connection
	default:
		backend(500).write(w)
	}
}

// serve answers a call, or returns why it is refused.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	c, err := s.route(w, r)
	if err != nil {
		return err
	}
	defer c.leave()
	if err := c.admit(); err != nil {
		return err
	}
	if err := wait(r.Context(), s.o.Latency); err != nil {
		return err
	}
	lost, err := s.faults.before(c.route.method != http.MethodGet, c.stores())
	if err != nil {
		return err
	}
	result, err := c.route.handle(c)
	switch {
	case err != nil:
		return err
	case lost:
		return s.faults.lose()
	}
	return c.answer(result)
}

// wait pauses for d, or until the client is gone.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return drop{}
	}
}

// answer writes the result of a call that did what it was asked to.
func (c *call) answer(result any) error {
	if r, ok := result.(interim); ok {
		r.write(c.w, c.r)
		return nil
	}
	if result == nil {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	b, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if mask := c.query.Get("fields"); mask != "" {
		if b, err = selectFields(b, mask, result); err != nil {
			return err
		}
	}
	c.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = c.w.Write(b) // the client is gone if this fails
	return nil
}

// admit checks everything that is refused before a call is looked at: who
// calls, whose mailbox it is, and the limits.
func (c *call) admit() error {
	s := c.s
	g, err := s.authorise(c.r)
	if err != nil {
		return err
	}
	user, err := url.PathUnescape(c.args[0])
	if err != nil {
		return badRequest()
	}
	user, c.args = strings.ToLower(user), c.args[1:]
	if user == "me" {
		user = g.subject
	}
	switch {
	case s.o.DomainPolicy:
		return &refusal{code: 403, reason: "domainPolicy", message: "The domain administrators have disabled Gmail apps."}
	case g.subject != "" && user != g.subject:
		return &refusal{code: 403, reason: "forbidden", message: "Delegation denied for " + g.subject}
	case !s.exists(user):
		return precondition("Precondition check failed.")
	case containsFold(s.o.Suspended, user):
		return backend(500)
	case containsFold(s.o.MailServiceOff, user):
		return precondition("Mail service not enabled")
	case !g.allows(c.route.scopes):
		return &refusal{code: 403, reason: "insufficientPermissions", message: "Request had insufficient authentication scopes."}
	}
	c.box = s.mailbox(user)
	c.arrive = c.box.arrived.Add(1)
	if n := c.box.calls.Add(1); s.o.Concurrent > 0 && n > int64(s.o.Concurrent) {
		return &refusal{code: 429, reason: "rateLimitExceeded", domain: "usageLimits", message: "Too many concurrent requests for user."}
	}
	if err := c.box.parked(c.now, s.o); err != nil {
		return err
	}
	return s.quota.spend(c.now, user, c.route)
}

// leave ends what admit began.
func (c *call) leave() {
	if c.box != nil {
		c.box.calls.Add(-1)
	}
}

// exists says whether a well-formed address has a mailbox.
func (s *Server) exists(user string) bool {
	return validUser(user) && (len(s.o.Users) == 0 || containsFold(s.o.Users, user))
}

// validUser keeps addresses to characters that are harmless in file names.
func validUser(user string) bool {
	at := strings.IndexByte(user, '@')
	return at > 0 && at < len(user)-1 && len(user) <= 254 && strings.IndexFunc(user, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("@._-+'=&", r)
	}) < 0
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, s) })
}

// mailbox returns the mailbox of a user and makes it at first.
func (s *Server) mailbox(user string) *mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.boxes[user]
	if box == nil {
		box = newMailbox(user, s.o)
		s.boxes[user] = box
	}
	return box
}

// Fired returns how often each kind of fault has fired.
func (s *Server) Fired() map[string]int { return s.faults.counts() }
