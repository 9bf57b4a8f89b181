package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hallpass-dev/hallpass"
)

// The label is not "job": that is Prometheus' own, and it would rename ours.
var (
	jobRuns     = desc("job_runs_total", "Runs of background work on this node.", "name")
	jobFailures = desc("job_failures_total", "Runs of background work that failed.", "name")
	jobFailing  = desc("job_failing", "Whether the last run of the background work failed.", "name")
	jobRanAt    = desc("job_last_run_timestamp_seconds", "When the last run of the background work began, in seconds since 1970, 0 is not yet; on whichever node, of work that one does for all.", "name")
	jobElapsed  = desc("job_last_run_seconds", "Time that the last run of the background work on this node took.", "name")
)

func collectJobs(out chan<- prometheus.Metric, jobs []hallpass.Job) {
	for _, j := range jobs {
		out <- counter(jobRuns, float64(j.Runs), j.Name)
		out <- counter(jobFailures, float64(j.Failures), j.Name)
		out <- gauge(jobFailing, number(j.Error != ""), j.Name)
		ran := 0.0
		if !j.RanAt.IsZero() {
			ran = seconds(j.RanAt)
		}
		out <- gauge(jobRanAt, ran, j.Name)
		out <- gauge(jobElapsed, j.Elapsed.Seconds(), j.Name)
	}
}
