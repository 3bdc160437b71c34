// Answers, a line for a line, what the Kubernetes CronJob controller would do.
//
//	ticks <zone> <from> <until> <expression>            all ticks from .. until, unix seconds
//	recent <zone> <last> <deadline> <now> <expression>  the tick it works on, and how many it missed; a deadline of -1 is none
//
// Fields are parted by tabs. An expression that is refused is answered with "refused".
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		words := strings.Split(in.Text(), "\t")
		// As formatSchedule of the controller does.
		schedule, err := cron.ParseStandard(fmt.Sprintf("TZ=%s %s", words[1], words[len(words)-1]))
		if err != nil {
			fmt.Fprintln(out, "refused")
			continue
		}
		switch words[0] {
		case "ticks":
			ticks(out, schedule, at(words[2]), at(words[3]))
		case "recent":
			deadline := seconds(words[3])
			tick, missed, err := mostRecent(at(words[2]), deadline, at(words[4]), schedule)
			switch {
			case err != nil:
				fmt.Fprintln(out, "none none")
			case tick == nil:
				fmt.Fprintln(out, "none", missed)
			default:
				fmt.Fprintln(out, tick.Unix(), missed)
			}
		default:
			panic("unknown question " + words[0])
		}
	}
	if err := in.Err(); err != nil {
		panic(err)
	}
}

func ticks(out *bufio.Writer, schedule cron.Schedule, from, until time.Time) {
	for t := schedule.Next(from.Add(-time.Nanosecond)); !t.IsZero() && t.Before(until); t = schedule.Next(t) {
		fmt.Fprintf(out, "%d ", t.Unix())
	}
	fmt.Fprintln(out)
}

// The body of mostRecentScheduleTime in k8s.io/kubernetes/pkg/controller/cronjob/utils.go, v1.34.4 (Apache-2.0), which is not
// exported; the CronJob's fields are arguments here.
func mostRecent(earliestTime time.Time, deadline int64, now time.Time, schedule cron.Schedule) (*time.Time, string, error) {
	if deadline >= 0 {
		schedulingDeadline := now.Add(-time.Second * time.Duration(deadline))
		if schedulingDeadline.After(earliestTime) {
			earliestTime = schedulingDeadline
		}
	}
	missed := "none"
	t1 := schedule.Next(earliestTime)
	t2 := schedule.Next(t1)
	if now.Before(t1) {
		return nil, missed, nil
	}
	if now.Before(t2) {
		return &t1, missed, nil
	}
	timeBetweenTwoSchedules := int64(t2.Sub(t1).Round(time.Second).Seconds())
	if timeBetweenTwoSchedules < 1 {
		return nil, missed, fmt.Errorf("time difference between two schedules is less than 1 second")
	}
	timeElapsed := int64(now.Sub(t1).Seconds())
	numberOfMissedSchedules := (timeElapsed / timeBetweenTwoSchedules) + 1
	var mostRecentTime time.Time
	potentialEarliest := t1.Add(time.Duration((numberOfMissedSchedules-1-1)*timeBetweenTwoSchedules) * time.Second)
	for t := schedule.Next(potentialEarliest); !t.After(now); t = schedule.Next(t) {
		mostRecentTime = t
	}
	switch {
	case numberOfMissedSchedules > 100:
		missed = "many"
	case numberOfMissedSchedules > 0:
		missed = "few"
	}
	if mostRecentTime.IsZero() {
		return nil, missed, nil
	}
	return &mostRecentTime, missed, nil
}

func at(word string) time.Time { return time.Unix(seconds(word), 0).UTC() }

func seconds(word string) int64 {
	number, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		panic(err)
	}
	return number
}
