package api

import (
	_ "embed" // the contract and its page
	"net/http"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

//go:embed openapi.json
var contract []byte

// serveContract is GET /openapi.json.
func serveContract(w http.ResponseWriter, _ *http.Request) {
	httpd.WriteJSONBytes(w, http.StatusOK, contract)
}
