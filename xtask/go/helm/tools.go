//go:build tools

// Package tools pins what the go.mod beside it is for.
package tools

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
