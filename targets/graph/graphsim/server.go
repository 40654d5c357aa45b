// Package graphsim is a local Microsoft Graph mail server for tests, rehearsals
// and demonstrations. It behaves as the vendor documents and as users report,
// refuses what the vendor refuses, and keeps what it was given byte for byte.
// [Options] has a switch for each thing that is unknown.
//
// It serves users, mail folders, messages, attachments, categories, mailbox
// settings and $batch under /v1.0 and /beta, importMime under /beta, and the
// token endpoint under /{tenant}/oauth2/v2.0/token. It was written from
// documents alone: what a live tenant does beyond them it cannot show. It does
// not serve import sessions, rules, groups, $search, extensions or uniqueBody,
// and it answers 501 where it would have to guess, such as a new subject for a
// message that came as MIME.
//
// Its quota accounting is its own and shares no code with the client's.
package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Server is a simulated Graph. It is an http.Handler; several goroutines may
// use every method.
type Server struct {
	opt    Options
	octets *octets
	faults *faultState
	start  time.Time

	mu        sync.Mutex // guards the maps
	mailboxes map[string]*mailbox
	directory map[string]string // object id of a user to address
	tokens    map[string]*token
	uploads   map[string]*upload
	ledgers   map[quotaKey]*ledger
}

// New returns a server with no mail in it. Mailboxes come into being when they
// are first asked for. Close removes the file that holds the mail.
func New(opt Options) (*Server, error) {
	opt = opt.withDefaults()
	o, err := newOctets()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opt: opt, octets: o, faults: newFaultState(opt.Faults, opt.Seed), start: opt.Now(),
		mailboxes: map[string]*mailbox{}, directory: map[string]string{}, tokens: map[string]*token{},
		uploads: map[string]*upload{}, ledgers: map[quotaKey]*ledger{},
	}
	for _, t := range opt.Tokens {
		s.tokens[t] = &token{app: "static", roles: s.consented(), left: -1}
	}
	for _, user := range opt.Users {
		s.register(user)
	}
	return s, nil
}

// register makes user known under its object id too.
func (s *Server) register(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user = strings.ToLower(user)
	s.directory[directoryID(user)] = user
}

// address returns the address of a user that is named by address or object id.
func (s *Server) address(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.directory[strings.ToLower(user)]; ok {
		return a
	}
	return strings.ToLower(user)
}

// Close removes everything that was stored.
func (s *Server) Close() error { return s.octets.close() }

func (s *Server) now() time.Time { return s.opt.Now() }

// requestID is what identifies a call in answers.
type requestID struct{ server, client string }

// A reply is an answer: body as JSON, or else octets.
type reply struct {
	status      int
	header      http.Header
	body        any
	contentType string
	octets      []byte
}

// errAbort makes the connection close without an answer.
var errAbort = errors.New("connection aborted")

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segs, err := segments(r.URL)
	if err == nil && len(segs) == 4 && segs[1] == "oauth2" {
		s.serveToken(w, r)
		return
	}
	if err == nil && len(segs) == 4 && segs[2] == ".well-known" {
		s.serveDiscovery(w, r, segs[0])
		return
	}
	id := requestID{uuid.NewString(), r.Header.Get("client-request-id")}
	rep, err := s.answer(r, segs, id, err)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	rep.write(w, id)
}

// answer serves one call, or one part of a batch. Its only error is errAbort.
func (s *Server) answer(r *http.Request, segs []string, id requestID, err error) (reply, error) {
	var rep reply
	if err == nil {
		rep, err = s.handle(r, segs)
	}
	if err == nil {
		return rep, nil
	}
	if errors.Is(err, errAbort) {
		return reply{}, errAbort
	}
	var refused *apiError
	if !errors.As(err, &refused) {
		refused = refuse(500, "InternalServerError", "%v", err)
	}
	return refused.reply(s, id), nil
}

func (rep reply) write(w http.ResponseWriter, id requestID) {
	h := w.Header()
	for k, v := range rep.header {
		h[k] = v
	}
	h.Set("request-id", id.server)
	if id.client != "" {
		h.Set("client-request-id", id.client)
	}
	octets := rep.octets
	if rep.body != nil {
		var err error
		if octets, err = json.Marshal(rep.body); err != nil {
			panic(fmt.Sprintf("graphsim: answer: %v", err)) // a programming error
		}
		rep.contentType = "application/json; odata.metadata=minimal; charset=utf-8"
	}
	if rep.contentType != "" {
		h.Set("Content-Type", rep.contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(octets)))
	if rep.status == http.StatusNoContent {
		h.Del("Content-Length")
	}
	w.WriteHeader(rep.status)
	if rep.status != http.StatusNoContent {
		w.Write(octets)
	}
}

// segments splits a path at its slashes and decodes the pieces after that. The
// function form "delta()" loses its parentheses.
func segments(u *url.URL) ([]string, error) {
	segs := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, seg := range segs {
		seg, err := url.PathUnescape(seg)
		if err != nil {
			return nil, errQuery("The request URI is not valid.")
		}
		segs[i] = strings.TrimPrefix(strings.TrimSuffix(seg, "()"), "microsoft.graph.")
	}
	return segs, nil
}

// handle serves one call from fault injection to dispatch.
func (s *Server) handle(r *http.Request, segs []string) (reply, error) {
	switch segs[0] {
	case "v1.0", "beta", "uploads":
	default:
		return reply{}, errSegment(segs[0])
	}
	if len(segs) < 2 {
		return reply{}, errSegment("")
	}
	if r.ContentLength > s.limit(segs) {
		return reply{}, errTooLarge()
	}
	if r.ContentLength < 0 && r.Body != http.NoBody && !s.opt.Chunked {
		return reply{}, &apiError{status: 411, message: "Length Required"}
	}
	if segs[1] == "$batch" {
		return s.batch(r, segs[0])
	}
	delta := segs[len(segs)-1] == "delta"
	switch fault := s.faults.next(r.Method, delta); fault {
	case "":
		return s.serve(r, segs)
	case faultLostReply:
		_, _ = s.serve(r, segs)
		return reply{}, errAbort
	case faultCut:
		_, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength, 0)/2)
		return reply{}, errAbort
	default:
		return reply{}, faultStatuses[fault]
	}
}

func (s *Server) limit(segs []string) int64 {
	if segs[len(segs)-1] == "importMime" {
		return s.opt.MaxImport
	}
	return s.opt.MaxRequest
}

// serve checks who calls and whether they may now, and calls the handler.
func (s *Server) serve(r *http.Request, segs []string) (reply, error) {
	if segs[0] == "uploads" {
		return s.serveUpload(r, segs)
	}
	t, err := s.authenticate(r)
	if err != nil {
		return reply{}, err
	}
	switch {
	case segs[1] == "me":
		return reply{}, refuse(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
	case segs[1] != "users" || len(segs) < 3:
		return reply{}, errSegment(segs[len(segs)-1])
	}
	c := &call{s: s, r: r, app: t.app, version: segs[0], limit: s.limit(segs)}
	if c.query, err = parseQuery(r.URL); err != nil {
		return reply{}, err
	}
	if c.prefer, err = parsePrefer(r.Header); err != nil {
		return reply{}, err
	}
	user, rest := s.address(segs[2]), segs[3:]
	if err := s.checkUser(t, user, rest); err != nil {
		return reply{}, err
	}
	done, err := s.admit(quotaKey{app: t.app, user: user}, r)
	if err != nil {
		return reply{}, err
	}
	defer done()
	if err := s.delay(r); err != nil {
		return reply{}, err
	}
	c.mb = s.mailbox(user)
	c.now = s.now()
	c.mb.requests.Add(1)
	return c.route(rest)
}

func (s *Server) delay(r *http.Request) error {
	if s.opt.Latency <= 0 {
		return nil
	}
	select {
	case <-time.After(s.opt.Latency):
		return nil
	case <-r.Context().Done():
		return errAbort
	}
}
