-- What operators' gauges ask of all tenants at once is answered by these alone.

CREATE INDEX connections_census ON connections (provider, status, expires_at);
CREATE INDEX deliveries_census ON deliveries (status) WHERE status IN ('failed', 'quarantined');
CREATE INDEX tracker_bindings_census ON tracker_bindings (provider, last_snapshot_at)
  WHERE state IN ('discovered', 'active');
