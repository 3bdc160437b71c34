//go:build tools

// Package tools pins what the go.mod beside it is for.
package tools

import (
	_ "github.com/jaegertracing/jaeger/cmd/all-in-one"
)
