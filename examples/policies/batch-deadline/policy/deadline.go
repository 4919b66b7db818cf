package policy

import (
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // The zones themselves: a policy has no files to read them from.
)

// deadlineOf reads a label such as "0600": the time of the day by which a run must have finished.
func deadlineOf(label string) (hour, minute int, err error) {
	number, err := strconv.ParseUint(label, 10, 16)
	hour, minute = int(number/100), int(number%100)
	if err != nil || len(label) != 4 || hour > 23 || minute > 59 {
		return 0, 0, fmt.Errorf("`%s` is no time of the day; write such as 0600", label)
	}
	return hour, minute, nil
}

// next is the first such time of the day after a moment, in milliseconds since the Unix epoch, by the clocks of a zone. On the night
// on which clocks go forward, a time that does not come is the one an hour later.
func next(after int64, hour, minute int, zone *time.Location) int64 {
	begins := time.UnixMilli(after).In(zone)
	for day := 0; ; day++ {
		deadline := time.Date(begins.Year(), begins.Month(), begins.Day()+day, hour, minute, 0, 0, zone)
		if deadline.After(begins) {
			return deadline.UnixMilli()
		}
	}
}
