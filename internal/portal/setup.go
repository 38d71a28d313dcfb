package portal

// Setup is what an apply file says: the provider, its connections and services.
type Setup struct {
	Provider    Provider
	Connections []Connection
	Services    []Service
}
