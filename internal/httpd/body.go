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

// CheckBody returns an Invalid error, which is a 415, when the headers say that the
// body is not plain UTF-8 of the media type. Such a body could mean something else
// to us than to its sender. Without these headers the body counts as that media
// type.
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

// RequireBody is CheckBody for requests that must have a Content-Type: pages of
// other sites can send a body without one.
func RequireBody(r *http.Request, media string) error {
	if r.Header.Get("Content-Type") == "" {
		return unsupported("Content-Type must be " + media)
	}
	return CheckBody(r, media)
}

func unsupported(message string) error {
	return &hallpass.Error{Kind: hallpass.Invalid, ID: "request.unsupported-media-type", Message: message}
}
