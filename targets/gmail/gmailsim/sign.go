package gmailsim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

const (
	signPrefix = "/v1/projects/-/serviceAccounts/"
	signSuffix = ":signJwt"
)

// serveSign answers signJwt of the IAM Service Account Credentials API, with
// which a login without a key has its assertion signed. Any bearer token will
// do for the caller. The signature is none, as nobody here verifies it.
func (s *Server) serveSign(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, status, reason, message string) {
		type detail struct {
			Type   string `json:"@type"`
			Reason string `json:"reason"`
			Domain string `json:"domain"`
		}
		e := map[string]any{"code": code, "message": message, "status": status}
		if reason != "" {
			e["details"] = []detail{{"type.googleapis.com/google.rpc.ErrorInfo", reason, "iam.googleapis.com"}}
		}
		writeJSON(w, code, map[string]any{"error": e})
	}
	account := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, signPrefix), signSuffix)
	var request struct {
		Payload   string   `json:"payload"`
		Delegates []string `json:"delegates"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMeta))
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case r.Method != http.MethodPost:
		refuse(404, "NOT_FOUND", "", "Not found.")
	case !ok || bearer == "":
		refuse(401, "UNAUTHENTICATED", "", "Request is missing required authentication credential.")
	case err != nil || json.Unmarshal(body, &request) != nil || !json.Valid([]byte(request.Payload)):
		refuse(400, "INVALID_ARGUMENT", "", "Request contains an invalid argument.")
	case len(s.o.Signers) > 0 && !slices.Contains(s.o.Signers, account):
		refuse(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", "Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist).")
	default:
		encode := base64.RawURLEncoding.EncodeToString
		key := rand.Text()
		writeJSON(w, 200, map[string]string{
			"keyId":     key,
			"signedJwt": encode([]byte(`{"alg":"RS256","kid":"`+key+`","typ":"JWT"}`)) + "." + encode([]byte(request.Payload)) + ".sig",
		})
	}
}
