-- What went through a connection in the last day is counted without a look at the rows.
CREATE INDEX deliveries_of_connection ON deliveries (tenant_id, connection_id, received_at, status);
CREATE INDEX sync_jobs_of_connection ON sync_jobs (tenant_id, connection_id, finished_at, status)
  WHERE job_type <> 'webhook';
