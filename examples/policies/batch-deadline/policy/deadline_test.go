package policy

import (
	"testing"
	"time"
)

func TestADeadlineIsTheNextOneByTheClocksOfItsZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range [][2]string{
		{"2026-03-28T22:00:00+01:00", "2026-03-29T06:00:00+02:00"}, // The clocks go forward that night.
		{"2026-10-25T00:00:00+02:00", "2026-10-25T06:00:00+01:00"},
		{"2026-01-01T05:59:59+01:00", "2026-01-01T06:00:00+01:00"},
		{"2026-01-01T06:00:00+01:00", "2026-01-02T06:00:00+01:00"},
		{"2026-12-31T23:00:00+01:00", "2027-01-01T06:00:00+01:00"},
	} {
		begins, _ := time.Parse(time.RFC3339, one[0])
		wanted, _ := time.Parse(time.RFC3339, one[1])
		if found := next(begins.UnixMilli(), 6, 0, berlin); found != wanted.UnixMilli() {
			t.Errorf("%s: %s, not %s", one[0], time.UnixMilli(found).In(berlin), one[1])
		}
	}
}

func TestALabelIsATimeOfTheDay(t *testing.T) {
	if hour, minute, err := deadlineOf("0630"); hour != 6 || minute != 30 || err != nil {
		t.Error(hour, minute, err)
	}
	for _, wrong := range []string{"", "630", "2400", "0660", "06.30", "-630", "+630"} {
		if _, _, err := deadlineOf(wrong); err == nil {
			t.Errorf("`%s` is taken", wrong)
		}
	}
}
