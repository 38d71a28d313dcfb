package main

import (
	"context"
	"fmt"

	"portico/internal/partner/visma"
	"portico/internal/partner/vitec"
	"portico/internal/portal"
)

// sheets are what the owners of partner systems ask for when a service is
// registered there. A system that is not here registers none.
var sheets = map[string]func(c portal.Connection, s portal.Service, baseURL string, provider portal.Provider) (portal.Sheet, error){
	visma.System: visma.Sheet,
	vitec.System: vitec.Sheet,
}

// Sheet returns what the owner of a service's system asks for. No credential is
// read for it, so that none can be in it.
func (p webPartners) Sheet(ctx context.Context, svc portal.Service) (portal.Sheet, error) {
	sheet, ok := sheets[svc.System]
	if !ok {
		return nil, nil
	}
	provider, err := p.store.Provider(ctx)
	if err != nil {
		return nil, err
	}
	connections, err := p.store.Connections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range connections {
		if c.ID == svc.ConnectionID {
			return sheet(c, svc, p.base, provider)
		}
	}
	return nil, fmt.Errorf("service %s: no connection %s", svc.ID, svc.ConnectionID)
}
