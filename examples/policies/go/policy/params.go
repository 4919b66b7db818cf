package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	. "starter/bindings/imports/steadfast_policy_types"
)

// What can be tuned, with its defaults.
var params = settings{absenceConfirmations: 2, unreachableAfter: 15_000}

type settings struct {
	absenceConfirmations uint64
	// In milliseconds.
	unreachableAfter int64
}

var parameters = []Parameter{
	parameter("absence_confirmations", "integer", "2", "answers in a row that must lack a job before it is lost"),
	parameter("unreachable_after", "duration", `"15s"`, "time without an answer before a condition says so"),
}

func parameter(name, kind, fallback, help string) Parameter {
	return Parameter{Name: name, Kind: kind, Default: fallback, Help: help}
}

var (
	duration = regexp.MustCompile(`^([0-9]{1,9}(ms|s|m|h|d))+$`) // One number with its unit after the other, as in 4h59m.
	part     = regexp.MustCompile(`([0-9]+)(ms|s|m|h|d)`)
	units    = map[string]int64{"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
)

// readParams refuses what it does not know, by name: a mistake must not pass for a default.
func readParams(text string) (settings, error) {
	read := params
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return read, err
	}
	for key, value := range given {
		switch key {
		case "absence_confirmations":
			var count *uint64 // Stays nil where the value is null.
			if json.Unmarshal(value, &count) != nil || count == nil || *count < 1 {
				return read, errors.New("absence_confirmations is not a whole number of 1 or more")
			}
			read.absenceConfirmations = *count
		case "unreachable_after":
			var text string
			_ = json.Unmarshal(value, &text) // What is no text is no duration either.
			if !duration.MatchString(text) {
				return read, errors.New(`unreachable_after is not a duration such as "15s" (units: ms, s, m, h, d)`)
			}
			read.unreachableAfter = 0
			for _, match := range part.FindAllStringSubmatch(text, -1) {
				number, _ := strconv.ParseInt(match[1], 10, 64) // Nine digits fit.
				read.unreachableAfter += number * units[match[2]]
			}
		default:
			var known []string
			for _, parameter := range parameters {
				known = append(known, parameter.Name)
			}
			return read, fmt.Errorf("there is no parameter `%s`; known are %s", key, strings.Join(known, ", "))
		}
	}
	return read, nil
}
