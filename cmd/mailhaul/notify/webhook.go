package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Webhook posts events as JSON.
type Webhook struct {
	url, key Secret
	caller   caller
}

var _ Way = (*Webhook)(nil)

// NewWebhook returns one at a URL, https but for this machine. With a key, which
// may be nil, posts are signed. A nil transport is that of the environment.
func NewWebhook(url, key Secret, transport http.RoundTripper) *Webhook {
	return &Webhook{url, key, newCaller("webhook", transport)}
}

func (w *Webhook) Name() string { return "webhook" }

// Send posts the event, with the header fields of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks, spec 1.0.0).
func (w *Webhook) Send(ctx context.Context, e Event) error {
	u, err := w.caller.parse(ctx, w.url)
	if err != nil {
		return err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return failed("webhook", "", "%w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return failed("webhook", "", "what is set is not a URL")
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("webhook-id", e.ID)
	req.Header.Set("webhook-timestamp", stamp)
	if w.key != nil {
		key, err := w.signingKey(ctx)
		if err != nil {
			return err
		}
		req.Header.Set("webhook-signature", sign(key, e.ID, stamp, body))
	}
	return w.caller.call(req)
}

// signingKey reads a key: "whsec_" and 24 to 64 octets in base64.
func (w *Webhook) signingKey(ctx context.Context) ([]byte, error) {
	text, err := w.key(ctx)
	if err != nil {
		return nil, &migrate.Error{Op: "webhook key", Class: migrate.Transient, Err: err}
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, failed("webhook key", "Make one with: echo whsec_$(openssl rand -base64 32)", "it is not whsec_ and 24 to 64 octets in base64")
	}
	return key, nil
}

// sign returns the signature of a post, version 1 of Standard Webhooks.
func sign(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
