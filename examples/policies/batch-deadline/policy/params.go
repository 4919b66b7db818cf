package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	. "batch-deadline/bindings/imports/steadfast_policy_types"
)

// What can be tuned, with its defaults.
var params = settings{zone: time.UTC, label: "batch-deadline"}

type settings struct {
	zone  *time.Location
	label string
}

var parameters = []Parameter{
	{Name: "zone", Kind: "string", Default: `"UTC"`, Help: "the zone whose clocks deadlines go by, such as Europe/Berlin"},
	{Name: "label", Kind: "string", Default: `"batch-deadline"`,
		Help: "the label of a Deployment that has its job's deadline, such as 0600"},
}

// readParams refuses what it does not know, by name: a mistake must not pass for a default.
func readParams(text string) (settings, error) {
	read := settings{zone: time.UTC, label: "batch-deadline"}
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return read, err
	}
	for key, value := range given {
		var text *string // Stays nil where the value is null.
		if (key == "zone" || key == "label") && (json.Unmarshal(value, &text) != nil || text == nil || *text == "") {
			return read, fmt.Errorf("%s is no text, or an empty one", key)
		}
		switch key {
		case "zone":
			zone, err := time.LoadLocation(*text)
			if err != nil || *text == "Local" {
				return read, errors.New("zone is no time zone; write one such as \"Europe/Berlin\"")
			}
			read.zone = zone
		case "label":
			read.label = *text
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
