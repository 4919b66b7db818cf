// The module that the engine loads. The policy itself is in policy/policy.go.
package main

import _ "batch-deadline/bindings/exports/wit_exports"

// A policy has no main: the engine calls what the bindings export.
func main() {}
