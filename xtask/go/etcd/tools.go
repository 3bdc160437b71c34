//go:build tools

// Package tools pins what the go.mod beside it is for.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
)
