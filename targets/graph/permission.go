package graph

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Application permissions of Microsoft Graph, as the Entra admin center names
// them. learn.microsoft.com/graph/permissions-reference
const (
	mailReadWrite   = "Mail.ReadWrite"              // folders and messages
	mailAdvanced    = "Mail-Advanced.ReadWrite.All" // importMime
	mailboxSettings = "MailboxSettings.ReadWrite"   // colours of categories; not needed
)

// claims are what an access token says of the app that it was issued to.
// Nobody has verified its signature: they are good for advice, and Graph
// decides. What RBAC for Applications grants in Exchange is not among them.
type claims struct {
	app   string   // application (client) ID
	roles []string // application permissions with admin consent, sorted: good for every mailbox
}

// has says whether the token shows a permission.
func (c claims) has(permission string) bool { return slices.Contains(c.roles, permission) }

// harmless is the form of identifiers that may be shown.
var harmless = regexp.MustCompile(`^[A-Za-z0-9._-]{1,80}$`)

// maxToken is the length of tokens that are looked into.
const maxToken = 64 << 10

// claimsOf reads a JSON Web Token (RFC 7519 section 3). ok is false for tokens
// of another form.
func claimsOf(token string) (c claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return c, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return c, false
	}
	var in struct {
		AppID string `json:"appid"` // in tokens of version 1.0
		AZP   string `json:"azp"`   // in those of version 2.0
		Roles []string
	}
	if json.Unmarshal(payload, &in) != nil {
		return c, false
	}
	for _, app := range []string{in.AppID, in.AZP} {
		if harmless.MatchString(app) {
			c.app = app
			break
		}
	}
	for _, role := range in.Roles {
		if harmless.MatchString(role) {
			c.roles = append(c.roles, role)
		}
	}
	slices.Sort(c.roles)
	return c, true
}

// accessHint says which permission a refused call to path needs, whether the
// token shows it, and where an administrator gives it.
func accessHint(path, token string) string {
	c, ok := claimsOf(token)
	if !ok {
		return hintAccess
	}
	need := mailReadWrite
	if strings.HasSuffix(path, "/importMime") {
		need = mailAdvanced
	}
	if c.has(need) {
		return "The app has the application permission " + need + " for the whole organisation and is refused all the same: an application access policy may keep it out of this mailbox. Exchange Online PowerShell: Get-ApplicationAccessPolicy. If the permission is new, wait: changes take up to 2 hours."
	}
	return "The app's token does not show the application permission " + need + "; it shows " + shown(c.roles) + ". Give it to the app " + c.app +
		" for every mailbox: Microsoft Entra admin center > App registrations > API permissions > Add a permission > Microsoft Graph > Application permissions, then Grant admin consent. Or for some mailboxes: RBAC for Applications, role \"Application " + need +
		"\"; this mailbox must be in its scope (Test-ServicePrincipalAuthorization). Changes take up to 2 hours."
}

// shown lists the permissions that a token shows, as far as a person reads.
func shown(roles []string) string {
	const most = 8
	switch {
	case len(roles) == 0:
		return "none"
	case len(roles) > most:
		return strings.Join(roles[:most], ", ") + " and more"
	}
	return strings.Join(roles, ", ")
}
