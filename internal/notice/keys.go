package notice

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// Keys are the files that webhooks are signed by. Each has a key on its first line, and
// may have the one before it on the second: that one signs too, for a day after the
// file was written, so that receivers have the time to change theirs. The files are
// read anew each time. The zero Keys sign nothing.
type Keys struct {
	Private string // the file of the Ed25519 key, "whsk_…"
	Secret  string // the file of the secret for HMAC, "whsec_…"
}

// overlapOfKeys is for how long the key before signs too.
const overlapOfKeys = 24 * time.Hour

// The prefixes of keys (Standard Webhooks 1.0.0).
const (
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
	secretPrefix  = "whsec_"
)

var (
	errNoKey    = plainError("there is no key to sign by: set webhook_key_file in the section [notices] of the configuration of every node")
	errNoSecret = plainError("there is no secret to sign by: set whsec_file in the section [notices] of the configuration")
)

// Sign returns the header webhook-signature for the content: a signature by each key
// that signs at now.
func (k Keys) Sign(how hallpass.Signature, content string, now time.Time) (string, error) {
	var list []string
	if how == hallpass.SignatureV1 {
		secrets, err := k.secrets(now)
		if err != nil {
			return "", err
		}
		for _, key := range secrets {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(content))
			list = append(list, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
		return strings.Join(list, " "), nil
	}
	keys, err := k.private(now)
	if err != nil {
		return "", err
	}
	for _, key := range keys {
		list = append(list, "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(content))))
	}
	return strings.Join(list, " "), nil
}

// Public returns the public key, as "whpk_…".
func (k Keys) Public() (string, error) {
	keys, err := k.private(time.Time{})
	if err != nil {
		return "", err
	}
	return publicPrefix + base64.StdEncoding.EncodeToString(keys[0].Public().(ed25519.PublicKey)), nil
}

// Validate returns an error if a file that is named cannot be read or holds no key.
func (k Keys) Validate() error {
	if _, err := k.private(time.Time{}); k.Private != "" && err != nil {
		return fmt.Errorf("notices.webhook_key_file: %w", err)
	}
	if _, err := k.secrets(time.Time{}); k.Secret != "" && err != nil {
		return fmt.Errorf("notices.whsec_file: %w", err)
	}
	return nil
}

func (k Keys) private(now time.Time) (keys []ed25519.PrivateKey, err error) {
	if k.Private == "" {
		return nil, errNoKey
	}
	lines, err := readKeys(k.Private, privatePrefix, now)
	for _, b := range lines {
		switch len(b) {
		case ed25519.SeedSize:
			keys = append(keys, ed25519.NewKeyFromSeed(b))
		case ed25519.PrivateKeySize:
			key := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
			if !bytes.Equal(key, b) {
				return nil, fmt.Errorf("%s: the two halves of a key do not belong together", k.Private)
			}
			keys = append(keys, key)
		default:
			return nil, fmt.Errorf("%s: a key of Ed25519 has 32 bytes, or 64 with its public half, and this one has %d", k.Private, len(b))
		}
	}
	return keys, err
}

// Bounds of a secret (Standard Webhooks 1.0.0).
const (
	minSecret = 24
	maxSecret = 64
)

func (k Keys) secrets(now time.Time) ([][]byte, error) {
	if k.Secret == "" {
		return nil, errNoSecret
	}
	keys, err := readKeys(k.Secret, secretPrefix, now)
	for _, b := range keys {
		if len(b) < minSecret || len(b) > maxSecret {
			return nil, fmt.Errorf("%s: a secret has from %d to %d bytes, and this one has %d", k.Secret, minSecret, maxSecret, len(b))
		}
	}
	return keys, err
}

// maxKeyFile is the largest file of keys, in bytes.
const maxKeyFile = 4 << 10

// readKeys returns the keys of a file that sign at now: the first alone when now is
// zero. Errors do not repeat what is in the file.
func readKeys(path, prefix string, now time.Time) (keys [][]byte, err error) {
	text, info, err := plainfile.Read(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	lines := strings.Fields(string(text))
	if len(lines) == 0 || len(lines) > 2 {
		return nil, fmt.Errorf("%s: a key stands on the first line, and the one before it may on the second; there are %d", path, len(lines))
	}
	if now.IsZero() || now.Sub(info.ModTime()) > overlapOfKeys {
		lines = lines[:1]
	}
	for i, line := range lines {
		encoded, ok := strings.CutPrefix(line, prefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: line %d is not %s and base64 after it", path, i+1, prefix)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// MakeKey writes a new key to the file, which nobody else may read, unless there is one.
// One process at a time may call it.
func MakeKey(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return plainfile.Validate(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	partial := path + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- in the data directory
	if err != nil {
		return err
	}
	_, err = f.WriteString(privatePrefix + base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
