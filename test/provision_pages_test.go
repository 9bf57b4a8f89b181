package test_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestDeclaredPagesAreAccessible holds the pages of what a provisioning file declares to
// the rules of TestEveryPageIsAccessible: their controls are locked, and they name the
// file, whose name is as long as names get.
func TestDeclaredPagesAreAccessible(t *testing.T) {
	a := newAxe(t, hallpasstest.New(t, hallpasstest.Declared(t, "10-ci-and-platform.toml")))
	for _, path := range []string{"/org/serviceaccounts/ci", "/org/serviceaccounts/ci/tokens/1", "/org/teams/ops", "/admin/roles/deployer"} {
		a.open(path)
		a.check(path)
		a.fits(path, 390)
		a.do(chromedp.EmulateViewport(1440, 900))
	}
}
