package onapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// access is as much of an access as a replacement needs.
type access struct {
	Subscriptions []struct {
		ID      door.Text `json:"subscriptionId"`
		Service door.Text `json:"service"`
	} `json:"subscriptions"`
}

// replace changes the one service on an access to another. The network wants to
// know which subscription that is, so the access is read first. If the service is
// there already an earlier attempt has arrived, or nothing has to be done.
func (c *Client) replace(ctx context.Context, r Request) (portal.ActivationAnswer, error) {
	answer, err := c.call(ctx, http.MethodGet, "/accesses/"+r.AccessID, nil)
	if err != nil {
		return refusal(err)
	}
	var a access
	if err := json.Unmarshal(answer.Body, &a); err != nil {
		return portal.ActivationAnswer{}, door.Classify(answer.Unusable("the answer is no access"))
	}
	for _, s := range a.Subscriptions {
		if strings.EqualFold(string(s.Service), r.Service) {
			return portal.ActivationAnswer{State: portal.ActivationDone}, nil
		}
	}
	switch len(a.Subscriptions) {
	case 0:
		return refused(noneActive), nil
	case 1:
		return c.place(ctx, r, string(a.Subscriptions[0].ID))
	}
	return refused(manyActive), nil
}
