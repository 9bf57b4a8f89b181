package api

import "net/http"

func serveDocs(w http.ResponseWriter, r *http.Request) { serveContract(w, r) }
