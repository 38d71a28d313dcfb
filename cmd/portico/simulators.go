package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/errgroup"

	"portico/internal/partner/tjansteguiden"
	"portico/internal/partner/tjansteguiden/onapi/onapitest"
	"portico/internal/partner/tjansteguiden/tjansteguidentest"
	"portico/internal/partner/visma"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// simulators are the demo's partner systems, each on a host name that the
// browser takes for another site than the portal.
type simulators struct {
	vitec     *vitectest.Server
	visma     *vismatest.Server
	guide     *tjansteguidentest.Server
	network   *onapitest.Server
	listeners [4]net.Listener
}

// vismaTenant is the demo's customer of Visma's.
const vismaTenant = "14"

// simulators opens the simulators on the ports after the portal's, or on any
// that are free.
func (d demo) simulators(port int) (*simulators, error) {
	s := &simulators{}
	for i := range s.listeners {
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+1+i))
		if err != nil {
			listener, err = net.Listen("tcp", "127.0.0.1:0")
		}
		if err != nil {
			s.close()
			return nil, err
		}
		s.listeners[i] = listener
	}
	var err error
	s.vitec, err = vitectest.New(vitectest.Options{Path: filepath.Join(d.folder, "vitec.json"), Log: d.log,
		Credentials: []portal.Credential{{Customer: portal.AnyCustomer, Username: "nordljus", Password: d.kept.VitecPassword}}})
	if err != nil {
		s.close()
		return nil, err
	}
	tenants := vismatest.DemoTenants()
	for i := range tenants {
		tenants[i].ClientSecret = d.kept.VismaSecret
	}
	s.visma, err = vismatest.New(vismatest.Options{Path: filepath.Join(d.folder, "visma.json"), Log: d.log, Tenants: tenants})
	if err != nil {
		s.close()
		return nil, err
	}
	s.visma.URL = s.vismaURL()
	if err := d.guide(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// guide opens the simulated Tjänsteguide and the network of its accesses.
func (d demo) guide(s *simulators) (err error) {
	s.guide, err = tjansteguidentest.New(tjansteguidentest.Options{Path: filepath.Join(d.folder, "guide.json"), Log: d.log, APIKey: d.kept.GuideKey})
	if err != nil {
		return err
	}
	s.network, err = onapitest.New(onapitest.Options{Path: filepath.Join(d.folder, "network.json"), Log: d.log, Password: d.kept.NetworkPassword, Auto: true})
	return err
}

func (s *simulators) vitecURL() string   { return s.url(0) }
func (s *simulators) vismaURL() string   { return s.url(1) }
func (s *simulators) guideURL() string   { return s.url(2) }
func (s *simulators) networkURL() string { return s.url(3) }

func (s *simulators) url(i int) string { return "http://" + s.listeners[i].Addr().String() }

// variables are what demo.yaml takes from the environment.
func (s *simulators) variables(kept demoSecrets) map[string]string {
	return map[string]string{"VITEC_URL": s.vitecURL(), "VITEC_PASSWORD": kept.VitecPassword,
		"VISMA_URL": s.visma.Base(s.vismaURL(), vismaTenant), "VISMA_SECRET": kept.VismaSecret,
		"GUIDE_URL": s.guide.Base(s.guideURL(), tjansteguidentest.RoleTL), "GUIDE_USER": tjansteguidentest.DemoAPIUser, "GUIDE_KEY": kept.GuideKey,
		"NETWORK_URL": s.network.Base(s.networkURL()), "NETWORK_USER": onapitest.DemoUsername, "NETWORK_PASSWORD": kept.NetworkPassword}
}

// offer tells the simulators which services can be ordered there.
func (s *simulators) offer(services []portal.Service, base string) {
	var atVitec []vitectest.Service
	var atVisma []vismatest.Service
	var atGuide []tjansteguidentest.Service
	for _, svc := range services {
		address := base + "/callback/" + svc.ID
		switch svc.ConnectionID { // demo.yaml names its connections after their systems
		case vitec.System:
			atVitec = append(atVitec, vitectest.Service{ID: svc.ID, Name: svc.Name.In("sv"), Description: svc.Description.In("sv"),
				CallbackURL: address, Background: svc.Flow == portal.FlowBackground})
		case tjansteguiden.System:
			atGuide = append(atGuide, tjansteguidentest.Service{ID: svc.PartnerService, UID: svc.NetworkService, Name: svc.Name.In("sv"),
				Description: svc.Description.In("sv")})
		case visma.System:
			atVisma = append(atVisma, vismatest.Service{ID: svc.ID, Name: svc.Name.In("nb"), Description: svc.Description.In("nb"), URL: address})
		}
	}
	s.vitec.SetServices(atVitec...)
	s.visma.SetServices(atVisma...)
	s.guide.SetServices(atGuide...)
}

func (s *simulators) serve(ctx context.Context, group *errgroup.Group, log *slog.Logger) {
	for i, simulator := range []http.Handler{s.vitec, s.visma, s.guide, s.network} {
		group.Go(func() error { return serveHTTP(ctx, simulator, s.listeners[i], log) })
	}
}

func (s *simulators) close() {
	for _, listener := range s.listeners {
		if listener != nil {
			_ = listener.Close()
		}
	}
}
