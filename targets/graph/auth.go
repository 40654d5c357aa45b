package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/mailhaul/mailhaul/migrate"
)

// A Token returns a bearer token for Graph. refused is the token that Graph
// has just refused, or empty; it is not returned again if another can be had.
// Several goroutines may call it, and several mailboxes share it.
type Token func(ctx context.Context, refused string) (string, error)

// StaticToken always returns the same token.
func StaticToken(token string) Token {
	return func(context.Context, string) (string, error) { return token, nil }
}

// A Cloud is one of Microsoft's separate worlds.
type Cloud struct {
	Name      string // "global", "gcchigh", "dod", "china"
	Endpoint  string // of Graph
	Authority string // of logins
}

// clouds lists them, the global one first. https://learn.microsoft.com/graph/deployments
func clouds() []Cloud {
	return []Cloud{
		{"global", "https://graph.microsoft.com", "https://login.microsoftonline.com/"},
		{"gcchigh", "https://graph.microsoft.us", "https://login.microsoftonline.us/"},
		{"dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us/"},
		{"china", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn/"},
	}
}

// CloudByName returns the cloud of that name; empty is the global one, which
// also serves GCC.
func CloudByName(name string) (Cloud, error) {
	for _, c := range clouds() {
		if c.Name == name || name == "" {
			return c, nil
		}
	}
	return Cloud{}, fmt.Errorf("unknown cloud %q: use global, gcchigh, dod or china", name)
}

// SecretToken logs in as an app with a client secret.
func SecretToken(c Cloud, tenant, client, secret string) (Token, error) {
	return loginToken(c, func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
		return azidentity.NewClientSecretCredential(tenant, client, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: o})
	})
}

// CertificateToken logs in as an app with a certificate: data is PEM or
// PKCS #12 and holds the private key; password may be nil.
func CertificateToken(c Cloud, tenant, client string, data, password []byte) (Token, error) {
	certs, key, err := azidentity.ParseCertificates(data, password)
	if err != nil {
		return nil, badCertificate(data, err)
	}
	return loginToken(c, func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
		return azidentity.NewClientCertificateCredential(tenant, client, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: o})
	})
}

// badCertificate says why a certificate file cannot be used. The library tells
// these cases apart by its texts only, which say nothing to an operator.
func badCertificate(data []byte, err error) error {
	text := err.Error()
	switch {
	case bytes.Contains(data, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")):
		return errors.New("the private key in this PEM file has a password, which is not supported: take it away (openssl pkey -in FILE), or use PFX")
	case strings.Contains(text, "unknown digest algorithm"), strings.Contains(text, "algorithm is not supported"), strings.Contains(text, "not implemented: algorithm"):
		return errors.New("this PFX file is encrypted in a way that is not supported: make it with openssl pkcs12 -export -legacy, or in Windows with TripleDES-SHA1, or use PEM")
	case strings.Contains(text, "password incorrect"):
		return errors.New("the password of the certificate file is wrong")
	}
	return errors.New("the certificate file holds no certificate with its private key, in PEM or PFX")
}

// loginToken makes the credential anew when its token was refused, because
// the credential keeps a token for as long as it claims to be valid.
func loginToken(c Cloud, login func(azcore.ClientOptions) (azcore.TokenCredential, error)) (Token, error) {
	options := azcore.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: c.Authority},
		Retry: policy.RetryOptions{MaxRetries: -1}, // the engine retries
	}
	credential, err := login(options)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var current string
	return func(ctx context.Context, refused string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if refused != "" && refused == current {
			if credential, err = login(options); err != nil {
				return "", loginError(err)
			}
		}
		t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.Endpoint + "/.default"}})
		if err != nil {
			return "", loginError(err)
		}
		current = t.Token
		return current, nil
	}, nil
}

// aadsts is the form of Entra's error codes. The library gives them only in
// its text, e.g. "AADSTS7000215: Invalid client secret provided."
var aadsts = regexp.MustCompile(`AADSTS(\d+): [^\r\n"\\]{0,160}`)

// loginHint says what an administrator can do about an error code of Entra.
// learn.microsoft.com/entra/identity-platform/reference-error-codes
func loginHint(code string) string {
	const app = "Microsoft Entra admin center > App registrations > "
	switch code {
	case "7000215":
		return "The client secret is not this app's. The file must hold the secret's Value, which is shown only when it is made, and not its Secret ID: " + app + "Certificates & secrets."
	case "7000222":
		return "The client secret has expired. Make a new one: " + app + "Certificates & secrets."
	case "700027":
		return "The app does not know this certificate. Upload its public part (.cer, .pem): " + app + "Certificates & secrets > Certificates."
	case "700024":
		return "The clock of this machine is wrong: set it right."
	case "700016":
		return "There is no such app in this tenant. Compare client_id with the Application (client) ID, and tenant with the Directory (tenant) ID: " + app + "Overview."
	case "90002", "900023":
		return "There is no such tenant. Compare tenant with the Directory (tenant) ID, " + app + "Overview, and cloud with where the organisation is."
	case "7000112":
		return "The app was disabled: Microsoft Entra admin center > Enterprise applications > Properties."
	case "53003":
		return "A Conditional Access policy keeps the app from logging in from here: Microsoft Entra admin center > Conditional Access."
	}
	return hintToken
}

// loginError keeps of the library's page-long text what a person needs.
func loginError(err error) error {
	e := &migrate.Error{Op: "log in to Microsoft Entra", Class: migrate.Transient, Refused: true}
	found := aadsts.FindStringSubmatch(err.Error())
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	busy := ok && failed.RawResponse != nil && (failed.RawResponse.StatusCode >= 500 || failed.RawResponse.StatusCode == http.StatusTooManyRequests)
	switch {
	case found != nil && busy:
		e.Err = errors.New(found[0])
	case found != nil:
		e.Class, e.Err, e.Hint = migrate.Fatal, errors.New(found[0]), loginHint(found[1])
	case ok:
		e.Err = errors.New("the login server gave no usable answer")
	default:
		e.Err = errors.New(brief(err.Error()))
	}
	if errors.Is(err, context.Canceled) {
		e.Err = context.Canceled
	}
	return e
}

// loopback says whether host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
