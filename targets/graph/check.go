package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/mailhaul/mailhaul/migrate"
)

// Check says how messages go into the mailbox and why, and what the app may do
// beyond that, as far as its token shows. Mailboxes that share an app and the
// result of a probe get the same notes.
func (t *Target) Check(ctx context.Context) (notes []string, err error) {
	if t.name == RouteImport {
		notes = append(notes, "Messages are imported as they are (route importmime).")
	} else {
		notes = append(notes, "Messages are rebuilt from their parts (route json).")
	}
	if t.noImport != nil {
		reason, hint := migrate.Explain(t.noImport)
		notes = append(notes, strings.TrimSpace("They cannot be imported as they are: "+reason+". "+hint))
	}
	resp, err := t.client.get(ctx, "/v1.0"+t.root+"/outlook/masterCategories")
	if err == nil {
		resp.Body.Close()
	} else if refused(err).status == http.StatusForbidden {
		notes = append(notes, "Keywords become categories without colours, since the app lacks "+mailboxSettings+". Nothing else needs it.")
	}
	token, err := t.client.currentToken(ctx, "")
	if err != nil {
		return nil, err
	}
	c, ok := claimsOf(token)
	if !ok {
		return notes, nil
	}
	if c.has(mailReadWrite) || c.has(mailAdvanced) {
		notes = append(notes, "The app may open every mailbox of the organisation: its token shows "+shown(c.roles)+". docs/microsoft365.md says how to limit it to those that move.")
	} else {
		notes = append(notes, "The app is limited to some mailboxes: its token shows no permission for mail, so Exchange grants it (RBAC for Applications).")
	}
	used := []string{mailReadWrite, mailAdvanced, mailboxSettings}
	if unused := slices.DeleteFunc(slices.Clone(c.roles), func(r string) bool { return slices.Contains(used, r) }); len(unused) > 0 {
		notes = append(notes, "mailhaul does not need all that the app may do: take "+shown(unused)+" away, under API permissions in the Microsoft Entra admin center.")
	}
	return notes, nil
}
