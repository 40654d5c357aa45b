package graph

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
)

// counted is a credential that says which one it is.
type counted int

func (c counted) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: fmt.Sprintf("%s#%d", o.Scopes[0], c), ExpiresOn: time.Unix(1<<40, 0)}, nil
}

func TestARefusedTokenMakesOneNewLogin(t *testing.T) {
	logins := 0
	token, err := loginToken(Cloud{Endpoint: "https://graph"}, func(azcore.ClientOptions) (azcore.TokenCredential, error) {
		logins++
		return counted(logins), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	// Two mailboxes were refused the first token.
	for _, refused := range []string{"", "", "https://graph/.default#1", "https://graph/.default#1", ""} {
		s, err := token(t.Context(), refused)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s[len("https://graph/.default#"):])
	}
	if !slices.Equal(got, []string{"1", "1", "2", "2", "2"}) {
		t.Errorf("tokens %v", got)
	}
}

func TestASecretLogsIn(t *testing.T) {
	sim, err := graphsim.New(graphsim.Options{Secret: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The library asks for OpenID scopes too, which Entra ignores and the
		// simulator refuses.
		if err := r.ParseForm(); err == nil && r.PostForm.Has("scope") {
			r.PostForm.Set("scope", strings.Fields(r.PostForm.Get("scope"))[0])
			r.Body = io.NopCloser(strings.NewReader(r.PostForm.Encode()))
			r.PostForm, r.Form = nil, nil
		}
		sim.ServeHTTP(w, r)
	}))
	defer server.Close()
	login := func(secret string) Token {
		token, err := loginToken(Cloud{Endpoint: "https://graph.microsoft.com", Authority: server.URL}, func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
			o.Transport = server.Client()
			return azidentity.NewClientSecretCredential("contoso.com", "00000000-0000-0000-0000-000000000001", secret,
				&azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	if s, err := login("s3cret")(t.Context(), ""); err != nil || s == "" {
		t.Errorf("%q %v", s, err)
	}
	_, err = login("wr0ng")(t.Context(), "")
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok || e.Class != migrate.Fatal || e.Hint == "" || strings.Contains(err.Error(), "wr0ng") || !strings.Contains(err.Error(), "AADSTS") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%#v", err)
	}
	server.Close()
	_, err = login("s3cret")(t.Context(), "")
	if classOf(err) != migrate.Transient || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}

func TestACertificateNeedsItsKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(slices.Clone(cert), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	global, _ := CloudByName("")
	if _, err := CertificateToken(global, "contoso.com", "00000000-0000-0000-0000-000000000001", both, nil); err != nil {
		t.Error(err)
	}
	for _, data := range [][]byte{nil, cert, []byte("rubbish")} {
		if _, err := CertificateToken(global, "contoso.com", "id", data, nil); err == nil || strings.Contains(err.Error(), "rubbish") {
			t.Errorf("%.20q: %v", data, err)
		}
	}
}

func TestCloudsHaveNames(t *testing.T) {
	for name, endpoint := range map[string]string{"": "https://graph.microsoft.com", "global": "https://graph.microsoft.com", "gcchigh": "https://graph.microsoft.us",
		"dod": "https://dod-graph.microsoft.us", "china": "https://microsoftgraph.chinacloudapi.cn"} {
		if c, err := CloudByName(name); err != nil || c.Endpoint != endpoint {
			t.Errorf("%q: %v %v", name, c, err)
		}
	}
	if _, err := CloudByName("Global"); err == nil {
		t.Error("names are exact")
	}
}
