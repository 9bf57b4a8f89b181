package client_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// A token is replaced. The request has a key, so that it can be sent again when its answer
// was lost: no second token is made.
func ExampleClient_RotateToken() {
	ctx := context.Background()
	c := client.New("http://127.0.0.1:3080", os.Getenv("HALLPASS_TOKEN"))
	account, err := c.FindServiceAccount(ctx, "dashboard-sync")
	if err != nil {
		log.Fatal(err)
	}
	key := rand.Text()
	for range 3 {
		made, err := c.RotateToken(ctx, account.ID, 7, wire.RotateToken{Reason: "quarterly"}, key)
		var refused *client.Error
		switch {
		case err == nil:
			fmt.Println(made.Key) // both tokens work until nobody uses the old one
			return
		case errors.As(err, &refused) && refused.RetryAfter == 0 && refused.Status < 500:
			log.Fatal(err) // the server does not want the request
		}
		time.Sleep(2 * time.Second) // for two seconds the server refuses the key, because the first answer may still be on its way
	}
}
