package worker

import (
	"context"
	"log/slog"
	"time"
)

// loop calls once again and again while that finds something to do, and each
// time that so long has passed, until ctx ends. what is looked for is for the log.
func loop(ctx context.Context, every time.Duration, log *slog.Logger, what string, once func(context.Context) (bool, error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		found, err := once(ctx)
		if err != nil && ctx.Err() == nil {
			log.Error("look for "+what, "err", err)
		}
		if found && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
