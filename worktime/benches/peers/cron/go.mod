// The cron libraries of Go, measured beside ours.
module opsmesh.io/worktime/cron-peers

go 1.24

require (
	github.com/adhocore/gronx v1.19.6
	github.com/gorhill/cronexpr v0.0.0-20180427100037-88b0669f7d75
	github.com/robfig/cron/v3 v3.0.1
)
