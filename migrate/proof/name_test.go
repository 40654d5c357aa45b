package proof

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"testing"
)

func TestANameIsCommittedToWithItsNonce(t *testing.T) {
	secret := []byte("secret")
	for kind, value := range map[string]string{KindSource: "anna@old.example", KindTarget: "anna@old.example", KindPath: Path([]string{"a", "b"})} {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(kind + "\x00" + value))
		nonce := mac.Sum(nil)
		if got := Nonce(secret, kind, value); got != fmt.Sprintf("%x", nonce) {
			t.Errorf("the nonce of a %s is %s", kind, got)
		}
		if commit(fmt.Sprintf("%x", nonce), value) != sha256.Sum256(append(nonce, value...)) {
			t.Errorf("what stands for a %s is another", kind)
		}
	}
	if Path([]string{"a", "b"}) != "a\x00b" {
		t.Errorf("a path is %q", Path([]string{"a", "b"}))
	}
	nonce := Nonce(secret, KindPath, "")
	if commit(nonce, "a\xff\xfeb") != commit(nonce, "a\ufffd\ufffdb") {
		t.Error("what is not UTF-8 does not count as JSON shows it")
	}
	for _, other := range []string{"", "00", nonce + "00", nonce[:63] + "x", "A" + nonce[1:]} {
		if commit(other, "a") != (Digest{}) {
			t.Errorf("%s is a nonce", other)
		}
	}
}

func TestANonceThatIsNoneShowsNothing(t *testing.T) {
	if other := (&shownNames{}).other(Folder{}); other != KindSource {
		t.Errorf("the first name that is another is %q", other)
	}
}
