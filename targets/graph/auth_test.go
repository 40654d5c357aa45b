package graph

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/targets/graph/graphsim"
	"github.com/mailhaul/mailhaul/targets/targettest"
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
	server := httptest.NewTLSServer(sim)
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

func TestARefusedLoginSaysWhereToLook(t *testing.T) {
	for text, hint := range map[string]string{
		"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value": "secret's Value",
		"AADSTS7000222: The provided client secret keys for app '1' are expired.":                                               "expired",
		"AADSTS700027: Client assertion contains an invalid signature. [Reason - The key was not found.]":                       "Upload its public part",
		"AADSTS700024: Client assertion is not within its valid time range.":                                                    "clock",
		"AADSTS700016: Application with identifier '1' was not found in the directory 'contoso'.":                               "Application (client) ID",
		"AADSTS90002: Tenant 'x' not found.":                                                                                    "no such tenant",
		"AADSTS900023: Specified tenant identifier 'x' is neither a valid DNS name, nor a valid external domain.":               "no such tenant",
		"AADSTS7000112: Application '1' is disabled.":                                                                           "disabled",
		"AADSTS53003: Access has been blocked by Conditional Access policies.":                                                  "Conditional Access",
		"AADSTS99999: Something new.": "still has consent",
	} {
		err := loginError(errors.New("ClientSecretCredential authentication failed.\n{\n \"error_description\": \"" + text + "\"}"))
		if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Class != migrate.Fatal || !strings.Contains(e.Hint, hint) || !strings.HasSuffix(e.Error(), text) {
			t.Errorf("%s: %v, hint %q", text, err, e.Hint)
		}
	}
}

// A whole login and what comes after it, but for what needs the real one: the
// library's check that the login server is Microsoft's is off, the login
// server's certificate is that of a test, and nobody verifies the signature
// that a certificate makes.
func TestAnAppLogsInAndLogsInAgainWhenItsTokenEnds(t *testing.T) {
	w := newWorld(t, graphsim.Options{Secret: "s3cret", Tokens: []string{"none"}, TokenRequests: 3})
	var logins []string
	entra := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil && r.PostForm.Has("grant_type") {
			logins = append(logins, r.PostForm.Get("scope"))
		}
		w.sim.ServeHTTP(rw, r)
	}))
	defer entra.Close()
	certs, key, err := azidentity.ParseCertificates(certificate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	const tenant, client = "contoso.com", "00000000-0000-0000-0000-000000000001"
	for name, login := range map[string]func(azcore.ClientOptions) (azcore.TokenCredential, error){
		"secret": func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(tenant, client, "s3cret",
				&azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		},
		"certificate": func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(tenant, client, certs, key,
				&azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			logins = nil
			token, err := loginToken(Cloud{Endpoint: w.server.URL, Authority: entra.URL}, func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
				o.Transport = entra.Client()
				return login(o)
			})
			if err != nil {
				t.Fatal(err)
			}
			target := w.open(t, Config{Route: RouteImport, Token: token}) // one request
			for i := range 4 {
				if _, err := target.Append(t.Context(), "inbox", targettest.Letter(fmt.Sprint(name, i))); err != nil { // two
					t.Error(err)
				}
			}
			if len(logins) != 3 || !strings.HasPrefix(logins[0], w.server.URL+"/.default") {
				t.Errorf("logins for %q, want 3", logins)
			}
		})
	}
}

// certificate returns one with its private key, in PEM.
func certificate(t *testing.T) []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
}

func TestACertificateNeedsItsKey(t *testing.T) {
	both := certificate(t)
	cert := both[:bytes.Index(both, []byte("-----BEGIN PRIVATE"))]
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

// The files hold one self-signed certificate and were made by OpenSSL 3.0 with
// openssl pkcs12 -export -passout pass:secret, with and without -legacy.
func TestACertificateMayBeInPFX(t *testing.T) {
	global, _ := CloudByName("")
	for _, c := range []struct{ file, password, want string }{
		{"legacy.pfx", "secret", ""},
		{"legacy.pfx", "wrong", "password of the certificate file is wrong"},
		{"legacy.pfx", "", "password of the certificate file is wrong"},
		{"modern.pfx", "secret", "-legacy"},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		_, err = CertificateToken(global, "contoso.com", "00000000-0000-0000-0000-000000000001", data, []byte(c.password))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with password %q: %v, want %q", c.file, c.password, err, c.want)
		}
	}
	encrypted := "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n"
	if _, err := CertificateToken(global, "contoso.com", "id", []byte(encrypted), []byte("secret")); err == nil || !strings.Contains(err.Error(), "openssl pkey") {
		t.Errorf("an encrypted PEM: %v", err)
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
