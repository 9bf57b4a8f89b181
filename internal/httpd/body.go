package httpd

import (
	"mime"
	"net/http"

	"github.com/hallpass-dev/hallpass"
)

// The media types of bodies that are read here.
const (
	MediaJSON = "application/json"
	MediaForm = "application/x-www-form-urlencoded"
)

// CheckBody reports as an Invalid error, which is a 415, a body that is said to
// be something else than plain UTF-8 of the media type: read as if it were, it
// would mean something else here than where it was written. A body of which
// nothing is said is taken for what it should be.
func CheckBody(r *http.Request, media string) error {
	for _, coding := range r.Header["Content-Encoding"] {
		if coding != "" && !EqualASCII(coding, "identity") {
			return unsupported("Content-Encoding must be identity")
		}
	}
	types := r.Header["Content-Type"]
	if len(types) > 1 {
		return unsupported("Content-Type must be given once")
	}
	if len(types) == 0 || types[0] == "" {
		return nil
	}
	got, params, err := mime.ParseMediaType(types[0])
	if err != nil || got != media {
		return unsupported("Content-Type must be " + media)
	}
	if charset, said := params["charset"]; said && !EqualASCII(charset, "utf-8") && !EqualASCII(charset, "utf8") {
		return unsupported("charset must be utf-8")
	}
	return nil
}

// RequireBody is CheckBody where the media type must be told: pages of other
// sites can send bodies of which nothing is said.
func RequireBody(r *http.Request, media string) error {
	if r.Header.Get("Content-Type") == "" {
		return unsupported("Content-Type must be " + media)
	}
	return CheckBody(r, media)
}

func unsupported(message string) error {
	return &hallpass.Error{Kind: hallpass.Invalid, ID: "request.unsupported-media-type", Message: message}
}
