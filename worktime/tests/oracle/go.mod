// What the Kubernetes CronJob controller does with a schedule, asked from the library that it uses, in the version it uses.
module opsmesh.io/worktime/cron-oracle

go 1.24

require github.com/robfig/cron/v3 v3.0.1
