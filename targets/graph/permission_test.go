package graph

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// logIn returns a token of the world's own.
func (w *world) logIn(t *testing.T) string {
	t.Helper()
	resp, err := http.PostForm(w.server.URL+"/contoso/oauth2/v2.0/token", url.Values{
		"client_id": {"11111111-2222-3333-4444-555555555555"}, "client_secret": {"s3cret"},
		"scope": {"https://graph.microsoft.com/.default"}, "grant_type": {"client_credentials"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	return answer.Token
}

func TestARefusedCallNamesThePermissionThatTheTokenLacks(t *testing.T) {
	for name, c := range map[string]struct {
		opt   graphsim.Options
		route Route
		hint  []string
	}{
		"no permission for mail": {graphsim.Options{WithoutRoles: []string{mailReadWrite}}, RouteAuto,
			[]string{"does not show the application permission Mail.ReadWrite; it shows Mail-Advanced.ReadWrite.All, MailboxSettings.ReadWrite, User.Read.All.", "11111111-2222-3333-4444-555555555555", "Grant admin consent", `role "Application Mail.ReadWrite"`}},
		"none at all": {graphsim.Options{WithoutRoles: []string{mailReadWrite, mailAdvanced, "MailboxSettings.ReadWrite", "User.Read.All"}}, RouteAuto,
			[]string{"does not show the application permission Mail.ReadWrite; it shows none."}},
		"outside the scope": {graphsim.Options{WithoutRoles: []string{mailReadWrite, mailAdvanced}, ScopedRoles: []string{mailReadWrite, mailAdvanced}, Scope: []string{"bo@example.com"}}, RouteAuto,
			[]string{"Mail.ReadWrite", "this mailbox must be in its scope (Test-ServicePrincipalAuthorization)"}},
		"kept out by a policy": {graphsim.Options{Denied: []string{user}}, RouteAuto,
			[]string{"has the application permission Mail.ReadWrite for the whole organisation", "Get-ApplicationAccessPolicy"}},
		"no import": {graphsim.Options{WithoutRoles: []string{mailAdvanced}}, RouteImport,
			[]string{"does not show the application permission Mail-Advanced.ReadWrite.All; it shows Mail.ReadWrite,", `role "Application Mail-Advanced.ReadWrite.All"`}},
	} {
		w := newWorld(t, c.opt)
		token := w.logIn(t)
		_, err := Open(t.Context(), Config{User: user, Endpoint: w.server.URL, Token: StaticToken(token), Route: c.route})
		e, ok := errors.AsType[*migrate.Error](err)
		if !ok || e.Class != migrate.Fatal {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range c.hint {
			if !strings.Contains(e.Hint, part) {
				t.Errorf("%s: %q is missing in the hint %q", name, part, e.Hint)
			}
		}
		if strings.Contains(e.Error()+e.Hint, token) {
			t.Errorf("%s: the token is shown", name)
		}
	}
}

func TestCheckSaysHowMessagesGoAndWhatTheAppMayDo(t *testing.T) {
	rest := []string{"User.Read.All"}
	for name, c := range map[string]struct {
		opt   graphsim.Options
		route Route
		notes []string // a part of each
	}{
		"import": {graphsim.Options{WithoutRoles: rest}, RouteAuto,
			[]string{"imported as they are", "every mailbox of the organisation: its token shows Mail-Advanced.ReadWrite.All, Mail.ReadWrite, MailboxSettings.ReadWrite."}},
		"no permission to import": {graphsim.Options{WithoutRoles: append(rest, mailAdvanced)}, RouteAuto,
			[]string{"rebuilt", "cannot be imported as they are: import: Microsoft Graph answered 403 ErrorAccessDenied", "its token shows Mail.ReadWrite, MailboxSettings.ReadWrite."}},
		"imports lose dates":  {graphsim.Options{WithoutRoles: rest, ImportNow: true}, RouteAuto, []string{"rebuilt", "lost its date", "every mailbox"}},
		"imports lose fields": {graphsim.Options{WithoutRoles: rest, ImportDropsFields: true}, RouteAuto, []string{"rebuilt", "lost its header field", "every mailbox"}},
		"rebuilt on request":  {graphsim.Options{WithoutRoles: rest}, RouteJSON, []string{"rebuilt", "every mailbox"}},
		"limited to some": {graphsim.Options{WithoutRoles: append(rest, mailAdvanced, mailReadWrite), ScopedRoles: []string{mailReadWrite, mailAdvanced}, Scope: []string{user}}, RouteAuto,
			[]string{"imported as they are", "limited to some mailboxes"}},
		"no colours": {graphsim.Options{WithoutRoles: append(rest, mailboxSettings)}, RouteAuto,
			[]string{"imported as they are", "without colours, since the app lacks MailboxSettings.ReadWrite", "every mailbox"}},
		"more than it needs": {graphsim.Options{}, RouteAuto,
			[]string{"imported as they are", "every mailbox", "take User.Read.All away"}},
	} {
		w := newWorld(t, c.opt)
		notes, err := w.open(t, Config{Token: StaticToken(w.logIn(t)), Route: c.route}).Check(t.Context())
		if err != nil || len(notes) != len(c.notes) {
			t.Errorf("%s: %q, %v", name, notes, err)
			continue
		}
		for i, part := range c.notes {
			if !strings.Contains(notes[i], part) {
				t.Errorf("%s: note %q, want %q in it", name, notes[i], part)
			}
		}
	}
}

func TestATokenIsReadWithoutTrust(t *testing.T) {
	jwt := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".x"
	}
	for token, want := range map[string]string{
		jwt(`{"appid":"a-1","roles":["Mail.ReadWrite","A.B"]}`): "a-1: A.B Mail.ReadWrite",
		jwt(`{"azp":"a-2"}`): "a-2: ",
		jwt(`{"appid":"\u001b[31m","azp":"a-3","roles":["x y","a\n"]}`): "a-3: ",
		jwt(`{"roles":["` + strings.Repeat("x", 81) + `"]}`):            ": ",
		jwt(`{"roles":"Mail.ReadWrite"}`):                               "unreadable",
		jwt(`[`):                                                        "unreadable",
		jwt(`{}` + strings.Repeat(" ", maxToken)):                       "unreadable",
		"e30.!.x": "unreadable",
		"test":    "unreadable",
		"":        "unreadable",
	} {
		got := "unreadable"
		if c, ok := claimsOf(token); ok {
			got = c.app + ": " + strings.Join(c.roles, " ")
		}
		if got != want {
			t.Errorf("%.60q: %q, want %q", token, got, want)
		}
	}
}

func TestMailboxesThatShareAProbeGetTheSameNotes(t *testing.T) {
	w := newWorld(t, graphsim.Options{WithoutRoles: []string{mailAdvanced}})
	token := StaticToken(w.logIn(t))
	first := w.open(t, Config{Token: token})
	second := w.open(t, Config{Token: token, Route: first.Route(), Probed: true, NoImport: first.NoImport()})
	want, err := first.Check(t.Context())
	if err != nil || len(want) < 2 {
		t.Fatalf("%q, %v", want, err)
	}
	if got, err := second.Check(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
