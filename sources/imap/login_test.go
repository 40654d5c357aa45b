package imap

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/mailhaul/mailhaul/migrate"
	"github.com/mailhaul/mailhaul/sources/sourcetest"
)

func TestDovecotLetsInByEveryWayAndRefusesAWrongPassword(t *testing.T) {
	srv := sourcetest.Dovecot(t, sourcetest.Options{MasterUser: "admin"})
	plain := Config{Host: srv.Host, Port: srv.Port, CAFile: srv.CAFile, User: "joe", Secret: password}
	tls := dovecotConfig(srv, "joe")
	with := func(c Config, change func(*Config)) Config { change(&c); return c }
	for name, config := range map[string]Config{
		"implicit TLS": tls,
		"STARTTLS":     with(plain, func(c *Config) { c.TLS = StartTLS }),
		"no TLS":       with(plain, func(c *Config) { c.TLS = None }),
		"LOGIN":        with(tls, func(c *Config) { c.Auth = Login }),
		"master user":  with(tls, func(c *Config) { c.MasterUser = "admin" }),
		"host by name": with(tls, func(c *Config) { c.Host = "localhost" }),
	} {
		t.Run(name, func(t *testing.T) {
			s := opener(config)(t).(*Source)
			defer s.Close()
			if want := strings.Contains(name, "no TLS"); strings.Contains(s.Server(), "without TLS") != want || !strings.HasPrefix(s.Server(), "Dovecot") {
				t.Error(s.Server())
			}
			folders, err := s.Folders(t.Context())
			if err != nil || len(folders) == 0 {
				t.Errorf("%v, %v", folders, err)
			}
		})
	}
	wrong := []Config{
		with(tls, func(c *Config) { c.Secret = secret("wrong horse") }),
		with(tls, func(c *Config) { c.Auth, c.Secret = Login, secret("wrong horse") }),
		with(tls, func(c *Config) { c.MasterUser = "nobody" }),
	}
	for _, config := range wrong {
		_, err := Open(t.Context(), config)
		if err == nil || class(t, err) != migrate.Fatal || !errors.Is(err, migrate.ErrUnreachable) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%+v: %v", config, err)
		}
	}
}

func TestABearerTokenIsSentAndItsRefusalIsFatal(t *testing.T) {
	for auth, want := range map[Auth]string{
		XOAuth2:     "user=joe\x01auth=Bearer token\x01\x01",
		OAuthBearer: "n,a=joe,\x01host=127.0.0.1\x01port=PORT\x01auth=Bearer token\x01\x01",
	} {
		for _, good := range []bool{true, false} {
			var sent string
			config := scripted(t, func(command string) reply {
				if f := strings.Fields(command); len(f) == 3 && f[0] == "AUTHENTICATE" && strings.EqualFold(f[1], string(auth)) {
					b, _ := base64.StdEncoding.DecodeString(f[2])
					sent = string(b)
					if !good {
						return reply("+ " + base64.StdEncoding.EncodeToString([]byte(`{"status":"invalid_token"}`)) + "\r\n")
					}
				}
				if command == "" { // the empty answer to the server's reasons
					return "T1 NO [AUTHENTICATIONFAILED] expired\r\n" + "T2 NO [AUTHENTICATIONFAILED] expired\r\n"
				}
				return ""
			})
			config.Auth, config.Secret = auth, secret("token")
			want := strings.ReplaceAll(want, "PORT", strconv.Itoa(config.Port))
			s, err := Open(t.Context(), config)
			if sent != want {
				t.Errorf("%s: sent %q, want %q", auth, sent, want)
			}
			if good && err != nil || !good && (err == nil || class(t, err) != migrate.Fatal) {
				t.Errorf("%s: good %v: %v", auth, good, err)
			}
			if err == nil {
				s.Close()
			}
		}
	}
}

func TestAPasswordThatTheServerRepeatsIsNotShown(t *testing.T) {
	config := scripted(t, func(command string) reply {
		if strings.Contains(command, "LOGIN") || strings.Contains(command, "AUTHENTICATE") {
			return "TAG BAD I do not understand LOGIN joe open-sesame\r\n"
		}
		return ""
	})
	config.Secret = func(context.Context) (string, error) { return "open-sesame", nil }
	_, err := Open(t.Context(), config)
	if err == nil || strings.Contains(err.Error(), "open-sesame") || !errors.Is(err, migrate.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}
