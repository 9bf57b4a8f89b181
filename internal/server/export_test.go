package server

// Settings is what is shown of the configuration.
func Settings(c Config) map[string]map[string]string { return c.settings() }
