module opsmesh.io/xtask/go/pause

go 1.24.0
