package tjansteguiden

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"portico/internal/partner/door"
	"portico/internal/partner/tjansteguiden/onapi"
	"portico/internal/portal"
)

// network is what can be asked to activate services on accesses whose ids begin
// with a prefix.
type network struct {
	prefix string
	client *onapi.Client
}

// openNetworks returns the networks of a connection, those with longer prefixes
// first.
func openNetworks(c portal.Connection, configured []networkConfig, o door.Options) ([]network, error) {
	var all []network
	for _, n := range configured {
		customer := networkCustomer(n.Prefix)
		at := slices.IndexFunc(c.Credentials, func(cred portal.Credential) bool { return cred.Customer == customer })
		if at < 0 {
			return nil, fmt.Errorf("no credential of network %s", n.Prefix) // ours for Tjänsteguiden is none of its business
		}
		client, err := onapi.New(n.BaseURL, c.Credentials[at], onapi.Options{Options: o, Name: c.ID + "/" + customer})
		if err != nil {
			return nil, fmt.Errorf("network %s: %w", n.Prefix, err)
		}
		all = append(all, network{n.Prefix, client})
	}
	slices.SortStableFunc(all, func(a, b network) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return all, nil
}

func (c *Client) network(accessID string) (network, bool) {
	id := strings.ToUpper(accessID)
	at := slices.IndexFunc(c.networks, func(n network) bool { return strings.HasPrefix(id, n.prefix) })
	if at < 0 {
		return network{}, false
	}
	return c.networks[at], true
}

// NetworkOf returns the customer of the credential by which the network of an
// access is asked, and whether there is one.
func (c *Client) NetworkOf(accessID string) (credentialCustomer string, ok bool) {
	n, ok := c.network(accessID)
	if !ok {
		return "", false
	}
	return networkCustomer(n.prefix), true
}

// Look returns how far a network is with what it was asked for. An error is a
// *portal.ReportError.
func (c *Client) Look(ctx context.Context, a portal.Activation) (portal.ActivationAnswer, error) {
	n, ok := c.network(a.AccessID)
	if !ok {
		return portal.ActivationAnswer{}, noNetwork(a.AccessID)
	}
	return n.client.Look(ctx, cmp.Or(a.NetworkID, a.Request.NetworkID))
}

// activate asks the network of a message's access for what the message says.
func (c *Client) activate(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	n, ok := c.network(m.Target.ID)
	if !ok {
		return portal.Receipt{}, noNetwork(m.Target.ID)
	}
	answer, err := n.client.Do(ctx, activation(m))
	if err != nil {
		return portal.Receipt{}, err
	}
	return portal.Receipt{Shown: m.Shown, Activation: &answer}, nil
}

// activation is what a network is asked for: by our own number of the order,
// for an id that a network is given must say nothing of a person.
func activation(m portal.Message) onapi.Request {
	return onapi.Request{AccessID: m.Target.ID, Reference: m.Number, ActivationRequest: *m.Activation, Uncertain: m.Uncertain}
}

func noNetwork(accessID string) *portal.ReportError {
	return &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("no network is configured for access %q", accessID)}
}
