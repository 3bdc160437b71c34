//go:build tools

// Package tools pins what the go.mod beside it is for.
package tools

import (
	_ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
)
