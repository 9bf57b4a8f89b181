package api

import (
	"bytes"
	_ "embed" // the contract and its page
	"fmt"
	"net/http"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

//go:embed openapi.json
var contract []byte

// contractBelow returns the contract of a server below the base: its calls begin with that.
func contractBelow(base httpd.Base) []byte {
	root := []byte(`"url": "/"`)
	if bytes.Count(contract, root) != 1 {
		panic("api: the contract does not have one server") // the build is broken
	}
	if base == "" {
		return contract
	}
	return bytes.Replace(contract, root, fmt.Appendf(nil, `"url": %q`, base), 1)
}

// serveContract is GET /openapi.json.
func (a *API) serveContract(w http.ResponseWriter, _ *http.Request) {
	httpd.WriteJSONBytes(w, http.StatusOK, a.contract)
}
