package hallpasstest

import (
	"net/http"
	"testing"
)

func checkContract(t testing.TB, r *http.Request, body string, res *http.Response, text []byte) {}
