-- What the dashboard's pages ask for: a project's links and drift, and the feed by two filters at once.

CREATE INDEX tracker_links_of_project
  ON tracker_links (tenant_id, project_id, wp_id, mission, id, state, binding_id);
CREATE INDEX tracker_drift_of_project ON tracker_drift (tenant_id, project_id, opened_at) WHERE state = 'open';
CREATE INDEX tracker_drift_resolved ON tracker_drift (tenant_id, project_id, resolved_at, opened_at)
  WHERE resolved_at IS NOT NULL;

CREATE INDEX activity_of_project_and_type ON activity (tenant_id, project_id, type, seq);
CREATE INDEX activity_of_binding_and_type ON activity (tenant_id, binding_id, type, seq)
  WHERE binding_id IS NOT NULL;
CREATE INDEX activity_of_project_without_tracker ON activity (tenant_id, project_id, seq) WHERE of_tracker = 0;
CREATE INDEX activity_of_binding_without_tracker ON activity (tenant_id, binding_id, seq)
  WHERE of_tracker = 0 AND binding_id IS NOT NULL;
CREATE INDEX activity_of_project_and_wp ON activity (tenant_id, project_id, wp_id, seq) WHERE wp_id IS NOT NULL;
