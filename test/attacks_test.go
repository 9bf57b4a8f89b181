package test_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestAttacks sends every attack to each proxy with the configuration of the manual, and to
// the built-in one, on the main port and at the guard's own address. What reaches the API was allowed, however one reads it, and says truly
// who called. Every refusal of the guard says why, in JSON. Nothing is answered with 500.
func TestAttacks(t *testing.T) {
	for name, start := range guardProxies {
		t.Run(name, func(t *testing.T) { attacks(t, newSiege(t, start, "", "")) })
	}
	t.Run("built-in", func(t *testing.T) {
		attacks(t, newSiege(t, func(_ *testing.T, b behind) string { return b.hallpass }, "/guard/proxy/app", ""))
	})
	t.Run("own address", func(t *testing.T) {
		own := freeAddress(t)
		attacks(t, newSiege(t, func(*testing.T, behind) string { return own }, "", own))
	})
}

// attacks sends the whole table, and random attacks.
func attacks(t *testing.T, s *siege) {
	for _, a := range allAttacks() {
		s.attack(a)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range rounds(t, "HALLPASS_TEST_ATTACKS", 300) {
		s.attack(randomAttack(r))
	}
	s.probe()
	if _, fault := s.judge(s.api.take()); fault != "" {
		t.Error(fault)
	}
	t.Logf("seed %d: %d attacks, %d requests reached the API as they should, %d of them after their answer %q; the others were refused: %v", seed, s.sent, s.reached, len(s.late), s.late, s.statuses)
}

// A siege is a proxy under attack. Each attack has tokens that those right before it have
// not. By these the API knows whose a request is that it sees late: a proxy may answer a
// client whose body is broken before the API has read what the proxy sent on of it.
type siege struct {
	t                     *testing.T
	address, prefix       string // the prefix stands before every path
	api                   *witness
	readers, writers      []credential // tokens of two accounts, for one attack after the other
	reader, writer        credential   // of the attack that runs
	tokens                *strings.Replacer
	running               sentAttack
	sentBy                map[string]sentAttack // the last one of a token, by its ID
	open                  sentAttack            // the last one about the path that needs no token
	sent, reached, probed int
	late                  []string // what sent the requests that the API saw after their answer
	statuses              map[int]int
}

// A sentAttack is an attack that was sent as the number-th.
type sentAttack struct {
	attack
	number int
}

// attackTokens is how many attacks have tokens of their own before one has the first again.
const attackTokens = 16

// newSiege starts the API, Hallpass and the proxy. At the address own, "" for none, Hallpass
// serves the API alone.
func newSiege(t *testing.T, start func(*testing.T, behind) string, prefix, own string) *siege {
	s := &siege{t: t, prefix: prefix, api: newWitness(t), statuses: make(map[int]int), sentBy: make(map[string]sentAttack)}
	configuration := withUpstream(attackedGuard, "app", s.api)
	if own != "" {
		configuration = strings.Replace(configuration, "[guard.app]\n", "[guard.app]\nlisten = \""+own+"\"\n", 1)
	}
	hp := newGuardServer(t, configuration)
	s.readers, s.writers = []credential{hp.holder("app:read")}, []credential{hp.holder("app:read", "app:write")}
	for len(s.readers) < attackTokens {
		s.readers, s.writers = append(s.readers, hp.another(s.readers[0])), append(s.writers, hp.another(s.writers[0]))
	}
	s.arm(attack{name: "beginning", want: lawful})
	s.address = start(t, behind{hallpass: hp.address, api: s.api.address, guard: "app"})
	hallpasstest.Eventually(t, "the proxy to ask and answer", func() bool {
		res, err := s.exchange(asked("/api/x"), hallpasstest.Patience)
		return err == nil && res.status == http.StatusOK
	})
	s.api.take()
	return s
}

// arm makes a the attack that runs, and gives it the tokens that were used longest ago.
func (s *siege) arm(a attack) {
	s.sent++
	s.running = sentAttack{a, s.sent}
	s.reader, s.writer = s.readers[s.sent%attackTokens], s.writers[s.sent%attackTokens]
	s.tokens = strings.NewReplacer("{reader}", s.reader.key, "{writer}", s.writer.key)
	s.sentBy[fmt.Sprint(s.reader.token)], s.sentBy[fmt.Sprint(s.writer.token)] = s.running, s.running
	if strings.Contains(strings.ToLower(a.raw), "healthz") {
		s.open = s.running
	}
}

// sender returns the attack that sent what arrived, by the token that Hallpass says it is of.
// What needs no token is of the last attack about it, and all else of the one that runs.
func (s *siege) sender(a arrival) sentAttack {
	if ids := a.values("X-Hallpass-Token-Id"); len(ids) == 1 && s.sentBy[ids[0]].number != 0 {
		return s.sentBy[ids[0]]
	}
	if path, _, _ := strings.Cut(a.target, "?"); path == "/healthz" && s.open.number != 0 {
		return s.open
	}
	return s.running
}

// judge counts the requests of the attack that runs among those that arrived. The fault is ""
// if all of them, late ones of earlier attacks too, were allowed to reach the API.
func (s *siege) judge(arrived []arrival) (passes int, fault string) {
	for _, arrival := range arrived {
		if isProbe(arrival) {
			continue
		}
		s.reached++
		by := s.sender(arrival)
		if why := s.unlawful(arrival); why != "" {
			fault = "BYPASS: " + why + "\n" + arrival.String()
		}
		switch {
		case by.number == s.running.number:
			passes++
		case by.want == refused:
			fault = fmt.Sprintf("BYPASS: a request of the attack %q, which is to be refused, reached the API late\n%v", by.name, arrival)
		default:
			s.late = append(s.late, by.name)
		}
	}
	return passes, fault
}

// answer is what a proxy answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// exchange sends raw bytes on a connection of their own, and reads one answer within the
// limit.
func (s *siege) exchange(raw string, limit time.Duration) (answer, error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = conn.Close() }() // one answer was read
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return answer{}, err
	}
	method, rest, spaced := strings.Cut(raw, " ")
	if spaced && strings.HasPrefix(rest, "/") {
		raw = method + " " + s.prefix + rest
	}
	go func() { _, _ = io.WriteString(conn, s.tokens.Replace(raw)) }() // a proxy need not read all of it
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, &http.Request{Method: method})
	for err == nil && res.StatusCode == http.StatusContinue {
		res, err = http.ReadResponse(r, &http.Request{Method: method})
	}
	if err != nil {
		return answer{}, err
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return answer{res.StatusCode, res.Header, ""}, nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
		return answer{}, err
	}
	return answer{res.StatusCode, res.Header, string(body)}, nil
}

// attack sends the attack, and judges the answer and what reached the API.
func (s *siege) attack(a attack) {
	s.t.Helper()
	s.arm(a)
	var got answer
	var err error
	limit := hallpasstest.Patience
	if a.endless {
		limit = time.Second
	}
	hallpasstest.Eventually(s.t, "an answer of the guard within the proxy's own limit", func() bool {
		got, err = s.exchange(a.raw, limit)
		return got.status != http.StatusServiceUnavailable
	})
	s.statuses[got.status]++
	if a.endless { // what hides on a connection comes out with the next request
		s.probe()
	}
	arrived := s.api.take()
	passes, fault := s.judge(arrived)
	if fault == "" {
		fault = s.wrongAnswer(got, err)
	}
	switch {
	case fault != "":
	case a.want == refused && (passes > 0 || got.status < 400 && got.status != 0 && got.body != ""):
		fault = fmt.Sprintf("it was not refused; %v", arrived)
	case a.want == passed && (passes != 1 || got.status != http.StatusOK):
		fault = fmt.Sprintf("it did not pass; %d requests reached the API", passes)
	}
	if fault != "" {
		s.t.Errorf("%s: %s\nanswer %d %v %.300s (%v)\nsent %.600q", a.name, fault, got.status, got.header, got.body, err, a.raw)
	}
}

// probe sends an ordinary request, and waits until it reached the API. It follows on the
// connection to the API on which an attack may have left something.
func (s *siege) probe() {
	s.t.Helper()
	s.probed++
	got, err := s.exchange(asked(fmt.Sprintf("/api/probe-%d", s.probed)), hallpasstest.Patience)
	if err != nil || got.status != http.StatusOK || got.body != witnessed {
		s.t.Errorf("an ordinary request after an attack: %d %s %v", got.status, got.body, err)
	}
}

func isProbe(a arrival) bool { return strings.HasPrefix(a.target, "/api/probe-") }

// wrongAnswer returns what is wrong with an answer, whatever was asked.
func (s *siege) wrongAnswer(got answer, err error) string {
	var failed net.Error
	var said struct{ Message, MessageID string }
	switch reason := got.header.Get("X-Hallpass-Reason"); {
	case errors.As(err, &failed) && failed.Timeout(), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), got.status == 0:
		return "" // the proxy closed the connection, or wants more
	case err != nil:
		return err.Error()
	case got.status == http.StatusInternalServerError:
		return "the proxy failed"
	case got.status >= 300 && got.status < 400 && s.prefix == "": // beside the guard, the console does
		return "the proxy sends the client elsewhere"
	case got.status == http.StatusUnauthorized && len(got.header["Www-Authenticate"]) != 1:
		return "a refusal without a challenge"
	case got.status == http.StatusForbidden && !knownReason.MatchString(reason):
		return "a refusal without a reason"
	case (got.status == http.StatusUnauthorized || got.status == http.StatusForbidden) && got.body != "" &&
		(json.Unmarshal([]byte(got.body), &said) != nil || said.Message == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json")):
		return "a refusal that is not JSON"
	case s.holdsToken(got.body) || s.holdsToken(fmt.Sprint(got.header)):
		return "the answer holds the token"
	}
	return ""
}

// holdsToken reports whether the text holds a token of the attacks.
func (s *siege) holdsToken(text string) bool {
	return slices.ContainsFunc(slices.Concat(s.readers, s.writers), func(c credential) bool { return strings.Contains(text, c.key) })
}

var knownReason = regexp.MustCompile(`^(original-request-unknown|original-request-too-large|path-not-canonical|guard\.[a-z-]+)$`)

// unlawful returns why the request may not have reached the API, "" if it may.
func (s *siege) unlawful(a arrival) string {
	if path, _, _ := strings.Cut(a.target, "?"); path == "/healthz" {
		return s.foreign(a, false)
	}
	for _, name := range identityNames {
		if n := len(a.values(name)); n != 1 {
			return fmt.Sprintf("%s is there %d times", name, n)
		}
	}
	methods := []string{"GET", "HEAD"}
	switch id := a.values("X-Hallpass-Account-Id")[0]; id {
	case fmt.Sprint(s.writer.account):
		methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
	case fmt.Sprint(s.reader.account):
	default:
		return "the account is " + id
	}
	if !slices.Contains(methods, a.method) {
		return "this account may not " + a.method
	}
	if read := outside(a.target, "/api/"); read != "" {
		return "a server could read the path as " + read
	}
	return s.foreign(a, true)
}

// foreign returns a header of the arrival that the client may not send, "" if there is none.
func (s *siege) foreign(a arrival, identified bool) string {
	for _, f := range a.header {
		name := plainName(f.name)
		known := slices.ContainsFunc(append(identityNames, "X-Hallpass-Jwt"), func(n string) bool { return strings.EqualFold(n, f.name) })
		switch {
		case strings.HasPrefix(name, "x-hallpass-") && (!known || !identified),
			name == "authorization" && s.holdsToken(f.value),
			name == "upgrade" && !strings.EqualFold(f.value, "websocket"),
			slices.ContainsFunc(overrides, func(n string) bool { return plainName(n) == name }),
			(name == "x-forwarded-for" || name == "x-real-ip" || strings.HasPrefix(name, "x-hallpass-")) && strings.Contains(f.value, "spoofed"):
			return "the API got " + f.name + ": " + f.value
		}
	}
	return ""
}
