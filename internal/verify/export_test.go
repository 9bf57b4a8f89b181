package verify

// HoldLookUps keeps all looks at the database waiting until the function that
// it returns is called.
func (v *Verifier) HoldLookUps() func() {
	for range cap(v.gate.slots) {
		v.gate.slots <- struct{}{}
	}
	return func() {
		for range cap(v.gate.slots) {
			<-v.gate.slots
		}
	}
}

// Flights returns how many looks at the database are under way or waiting.
func (v *Verifier) Flights() int {
	v.flights.mu.Lock()
	defer v.flights.mu.Unlock()
	return len(v.flights.of)
}

// A Flight is one look at the database.
type Flight = flight

// Join and Land are those of the flights; Join takes the moment that the cache
// has reached.
func (v *Verifier) Join(hash [32]byte) (*Flight, bool) {
	return v.flights.join(hash, v.cache.epoch.Load())
}

// Land ends a flight that found nothing.
func (v *Verifier) Land(hash [32]byte, f *Flight) { v.flights.land(hash, f) }
