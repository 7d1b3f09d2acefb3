-- The tracker: bindings of projects to workspaces of external trackers, what their snapshots brought, and how
-- that differs from the work packages. A binding's rows are history once it is deleted, so they stay.

CREATE TABLE tracker_installations (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, provider)
) STRICT, WITHOUT ROWID;

-- `evidence` counts the snapshots that had issues: an absence is a distance between two of its values, so
-- that an issue that stays away, or stays, costs no write. `check_at` is when age alone changes the health.
CREATE TABLE tracker_bindings (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  ref TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  workspace TEXT NOT NULL,
  display_label TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('discovered', 'active', 'disabled', 'deleted')),
  origin TEXT NOT NULL,
  doctrine TEXT NOT NULL,
  doctrine_source TEXT NOT NULL CHECK (doctrine_source IN ('snapshot', 'manual')),
  reported_doctrine TEXT,
  health TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  last_snapshot_at INTEGER,
  last_receipt_id TEXT,
  evidence INTEGER NOT NULL,
  evidence_at INTEGER,
  evidence_receipt_id TEXT,
  failures INTEGER NOT NULL,
  next_ordinal INTEGER NOT NULL,
  issues INTEGER NOT NULL,
  issues_absent INTEGER NOT NULL,
  links INTEGER NOT NULL,
  check_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX tracker_bindings_live ON tracker_bindings (tenant_id, project_id, provider, workspace)
  WHERE state <> 'deleted';
CREATE INDEX tracker_bindings_of_project ON tracker_bindings (tenant_id, project_id, provider, workspace);
CREATE INDEX tracker_bindings_of_workspace ON tracker_bindings (tenant_id, provider, workspace)
  WHERE state <> 'deleted';
CREATE INDEX tracker_bindings_by_age ON tracker_bindings (tenant_id, created_at, id) WHERE state <> 'deleted';
CREATE INDEX tracker_bindings_due ON tracker_bindings (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE tracker_resources (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  workspace TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('discovered', 'active', 'disabled', 'deleted')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, binding_id) REFERENCES tracker_bindings (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX tracker_resources_active
  ON tracker_resources (tenant_id, provider, workspace, resource_type, resource_id) WHERE state = 'active';
CREATE UNIQUE INDEX tracker_resources_of_binding
  ON tracker_resources (tenant_id, binding_id, resource_type, resource_id) WHERE state <> 'deleted';

-- While an issue is present it was last seen with the binding's newest evidence; what is absent says itself
-- when that was. `fingerprint` stands for the content, so that comparing needs no content.
CREATE TABLE tracker_issues (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  system TEXT NOT NULL,
  workspace TEXT NOT NULL,
  external_id TEXT NOT NULL,
  presence TEXT NOT NULL CHECK (presence IN ('present', 'absent')),
  fingerprint TEXT NOT NULL,
  external_updated_at INTEGER,
  first_seen_at INTEGER NOT NULL,
  absent_seen_at INTEGER,
  absent_receipt_id TEXT,
  status TEXT NOT NULL,
  issue_type TEXT NOT NULL,
  priority INTEGER,
  external_key TEXT,
  url TEXT,
  assignees TEXT NOT NULL,
  labels TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, binding_id) REFERENCES tracker_bindings (tenant_id, id) ON DELETE CASCADE
) STRICT;
-- postgresql: ALTER TABLE tracker_issues ALTER workspace TYPE text COLLATE "C", ALTER external_id TYPE text COLLATE "C";
CREATE UNIQUE INDEX tracker_issues_identity
  ON tracker_issues (tenant_id, binding_id, workspace, external_id, system);
CREATE INDEX tracker_issues_in_order ON tracker_issues (tenant_id, workspace, external_id, id);

-- `absent_since`: the binding's evidence when the target was last there; null while it is. `mission` is empty
-- for a link that names none.
CREATE TABLE tracker_links (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  wp_id TEXT NOT NULL,
  mission TEXT NOT NULL,
  system TEXT NOT NULL,
  workspace TEXT NOT NULL,
  external_id TEXT NOT NULL,
  external_key TEXT,
  external_url TEXT,
  source TEXT NOT NULL CHECK (source IN ('snapshot', 'manual')),
  state TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  absent_since INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, binding_id) REFERENCES tracker_bindings (tenant_id, id) ON DELETE CASCADE
) STRICT;
-- postgresql: ALTER TABLE tracker_links ALTER wp_id TYPE text COLLATE "C", ALTER mission TYPE text COLLATE "C";
CREATE UNIQUE INDEX tracker_links_key ON tracker_links (tenant_id, binding_id, wp_id, mission);
CREATE INDEX tracker_links_claims
  ON tracker_links (tenant_id, binding_id, external_id, workspace, system, claimed_at, ordinal);
CREATE INDEX tracker_links_in_order ON tracker_links (tenant_id, wp_id, mission, id);
CREATE INDEX tracker_links_absent ON tracker_links (tenant_id, binding_id, absent_since)
  WHERE absent_since IS NOT NULL;

CREATE TABLE tracker_receipts (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  scope TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  body_digest TEXT NOT NULL,
  raw_sha256 TEXT NOT NULL,
  revision INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('applied', 'queued', 'superseded', 'discarded')),
  received_at INTEGER NOT NULL,
  applied_at INTEGER,
  sequence INTEGER,
  provider TEXT NOT NULL,
  workspace TEXT NOT NULL,
  binding_id TEXT,
  binding_created INTEGER NOT NULL,
  matched_by TEXT NOT NULL,
  fallback_used INTEGER NOT NULL,
  counts TEXT NOT NULL,
  warnings TEXT NOT NULL,
  effects TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, scope, idempotency_key, body_digest),
  FOREIGN KEY (tenant_id, binding_id) REFERENCES tracker_bindings (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX tracker_receipts_of_key ON tracker_receipts (tenant_id, idempotency_key, raw_sha256);
CREATE INDEX tracker_receipts_by_age ON tracker_receipts (tenant_id, received_at, id);
CREATE INDEX tracker_receipts_of_binding ON tracker_receipts (tenant_id, binding_id, received_at, id);

-- The bytes of a snapshot: of those that wait, and of a binding's newest.
CREATE TABLE tracker_bodies (
  tenant_id TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  binding_id TEXT,
  sequence INTEGER,
  body BLOB NOT NULL,
  PRIMARY KEY (tenant_id, receipt_id),
  FOREIGN KEY (tenant_id, receipt_id) REFERENCES tracker_receipts (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX tracker_bodies_of_binding ON tracker_bodies (tenant_id, binding_id, sequence)
  WHERE binding_id IS NOT NULL;

CREATE TABLE tracker_queue (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  provider TEXT NOT NULL,
  workspace TEXT NOT NULL,
  resource_type TEXT,
  resource_id TEXT,
  project_uuid TEXT,
  project_slug TEXT,
  issue_count INTEGER NOT NULL,
  mapping_count INTEGER NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'resolved', 'dismissed', 'superseded')),
  received_at INTEGER NOT NULL,
  resolved_at INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, receipt_id) REFERENCES tracker_receipts (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX tracker_queue_pending ON tracker_queue (tenant_id, scope) WHERE state = 'pending';
CREATE INDEX tracker_queue_of_workspace ON tracker_queue (tenant_id, provider, workspace, received_at, id)
  WHERE state = 'pending';
CREATE INDEX tracker_queue_by_age ON tracker_queue (tenant_id, received_at, id);

CREATE TABLE tracker_runs (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  receipt_id TEXT,
  cause TEXT NOT NULL CHECK (cause IN ('snapshot', 'manual_mapping')),
  status TEXT NOT NULL CHECK (status IN ('succeeded', 'rejected', 'failed')),
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  counts TEXT NOT NULL,
  error_code TEXT,
  error_message TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, binding_id) REFERENCES tracker_bindings (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX tracker_runs_of_binding ON tracker_runs (tenant_id, binding_id, started_at, id);

CREATE TABLE tracker_drift (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  link_id TEXT,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  field TEXT,
  wp_id TEXT,
  mission TEXT,
  system TEXT,
  workspace TEXT,
  external_id TEXT,
  external_key TEXT,
  external_url TEXT,
  local_value TEXT,
  external_value TEXT,
  owner TEXT,
  direction TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
  resolution TEXT,
  opened_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  resolved_at INTEGER,
  opened_by TEXT,
  resolved_by TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, binding_id) REFERENCES tracker_bindings (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX tracker_drift_open
  ON tracker_drift (tenant_id, binding_id, kind, COALESCE(link_id, ''), COALESCE(external_id, ''),
                    COALESCE(workspace, ''), COALESCE(system, ''), COALESCE(field, ''))
  WHERE state = 'open';
CREATE INDEX tracker_drift_of_binding ON tracker_drift (tenant_id, binding_id, opened_at, id);
CREATE INDEX tracker_drift_of_link ON tracker_drift (tenant_id, link_id) WHERE state = 'open';
CREATE INDEX tracker_drift_open_by_age ON tracker_drift (tenant_id, opened_at, id) WHERE state = 'open';
CREATE INDEX tracker_drift_by_age ON tracker_drift (tenant_id, opened_at, id);
