// Next ticks a second, one line of JSON for each library: {"name", "rate", "first"}. Reads {"zone", "expressions", "starts"}.
package main

import (
	"encoding/json"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/adhocore/gronx"
	"github.com/gorhill/cronexpr"
	"github.com/robfig/cron/v3"
)

type given struct {
	Zone        string   `json:"zone"`
	Expressions []string `json:"expressions"`
	Starts      []int64  `json:"starts"`
}

type measured struct {
	Name  string  `json:"name"`
	Rate  float64 `json:"rate"`
	First []int64 `json:"first"`
}

func main() {
	var g given
	must(json.NewDecoder(os.Stdin).Decode(&g))
	zone, err := time.LoadLocation(g.Zone)
	must(err)
	starts := make([]time.Time, len(g.Starts))
	for i, start := range g.Starts {
		starts[i] = time.Unix(start, 0).In(zone)
	}
	var robfig []cron.Schedule
	var gorhill []*cronexpr.Expression
	for _, expression := range g.Expressions {
		schedule, err := cron.ParseStandard("TZ=" + g.Zone + " " + expression)
		must(err)
		robfig = append(robfig, schedule)
		gorhill = append(gorhill, cronexpr.MustParse(expression))
	}
	out := json.NewEncoder(os.Stdout)
	turn := func(name string, next func(expression int, start time.Time) time.Time) {
		first := make([]int64, len(g.Expressions))
		for i := range first {
			first[i] = next(i, starts[i%len(starts)]).Unix()
		}
		began, done := time.Now(), 0
		for time.Since(began) < time.Second {
			for turns := 0; turns < 100; turns++ {
				next(done%len(g.Expressions), starts[done%len(starts)])
				done++
			}
		}
		must(out.Encode(measured{name, float64(done) / time.Since(began).Seconds(), first}))
	}
	turn("robfig/cron", func(i int, start time.Time) time.Time { return robfig[i].Next(start) })
	turn("gorhill/cronexpr", func(i int, start time.Time) time.Time { return gorhill[i].Next(start) })
	// It has no parsed form to keep.
	turn("adhocore/gronx", func(i int, start time.Time) time.Time {
		next, err := gronx.NextTickAfter(g.Expressions[i], start, false)
		must(err)
		return next
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
