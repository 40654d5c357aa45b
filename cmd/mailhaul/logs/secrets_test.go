package logs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestAKnownSecretIsHiddenInWhateverFormItStands(t *testing.T) {
	const secret = "pa\"ss/wörd &\n7+\\"
	var s Secrets
	s.Add(secret)
	encoded, err := json.Marshal(map[string]string{"said": secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		secret,
		fmt.Sprintf("%q", secret),
		string(encoded),
		"x=" + url.QueryEscape(secret),
		"/x/" + url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		got := s.Redact("before " + text + " after " + text + " end")
		if strings.Count(got, Hidden) != 2 || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " end") || strings.Contains(got, "pa") {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestOfTwoSecretsTheLongerOneIsHiddenWhole(t *testing.T) {
	var s Secrets
	for _, v := range []string{"abcdefgh", "abcdefghijkl", "xabcdefgh", "abcdefgh"} {
		s.Add(v)
	}
	if got := s.Redact("abcdefghijkl xabcdefgh abcdefgh"); got != Hidden+" "+Hidden+" "+Hidden {
		t.Error(got)
	}
}

func TestAShortSecretIsHiddenWhereItStandsAlone(t *testing.T) {
	var s Secrets
	for _, v := range []string{"test", "äb1", "no"} {
		s.Add(v)
	}
	for text, want := range map[string]string{
		"test":                        Hidden,
		"the latest test, tests test": "the latest " + Hidden + ", tests " + Hidden,
		"'test'/test1/1test":          "'" + Hidden + "'/test1/1test",
		"äb1 äb12":                    Hidden + " äb12",
		"no":                          "no", // it would garble more than it hides
	} {
		if got := s.Redact(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestWhatLooksLikeASecretIsHidden(t *testing.T) {
	const leak = "LeAkLeAkLeAkLeAk"
	var s Secrets
	for _, text := range []string{
		"Authorization: Bearer " + leak,
		"proxy-authorization: Basic " + leak + " " + leak,
		`{"Authorization": ["` + leak + `"]}`,
		"Set-Cookie: a=" + leak + "; b=" + leak,
		"the token is not good: bearer " + leak,
		"dial https://user:" + leak + "@example.com/x failed",
		"dial https://" + leak + "@example.com failed",
		`{"access_token":"` + leak + `","expires_in":3599}`,
		`{"refresh_token" : "` + leak + `\"` + leak + `"}`,
		`{\"client_secret\":\"` + leak + `\"}`,
		"grant_type=x&client_secret=" + leak + "&client_assertion=" + leak,
		"https://example.com/upload?uploadType=resumable&upload_id=" + leak,
		"https://example.com/s?authtoken=" + leak,
		`{"uploadUrl":"https://example.com/` + leak + `"}`,
		"eyJ" + leak + "." + leak + "." + leak,
		"ya29." + leak + leak,
		"-----BEGIN RSA PRIVATE KEY-----\n" + leak + "\n" + leak + "\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n" + leak,
	} {
		if got := s.Redact(text); strings.Contains(got, leak) || !strings.Contains(got, Hidden) {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestOrdinaryTextsStayAsTheyAre(t *testing.T) {
	var s Secrets
	s.Add("correct horse battery staple")
	for _, text := range []string{
		"",
		"fetch the password: environment variable MAIL_PASSWORD: not set",
		"token: HTTP 401: unauthorized_client: Client is unauthorized to retrieve access tokens",
		"the client secret has expired. Make a new one: Certificates & secrets.",
		"https://graph.microsoft.com/v1.0/users/ann@example.org/messages?$top=10",
		"ann@example.com: folder Clients/2019: the source says \"NO [UNAVAILABLE] basic trouble\"",
		"message <20231114.1234@example.com> of 12345 octets",
		"correct horse",
	} {
		if got := s.Redact(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestSecretsAreForgottenWhenThereAreTooMany(t *testing.T) {
	var s Secrets
	for i := range maxSecrets + 1 {
		s.Add(fmt.Sprintf("secret-%06d", i))
	}
	if len(s.values) != maxSecrets || len(s.known) != maxSecrets {
		t.Errorf("%d and %d are known", len(s.values), len(s.known))
	}
	if got := s.Redact(fmt.Sprintf("secret-%06d", maxSecrets)); got != Hidden {
		t.Error("the latest is not hidden")
	}
}
