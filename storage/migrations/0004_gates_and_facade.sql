-- Checks of repositories, and what clients bind through the facade.

-- id is unique over all tenants: a delivery names nothing else.
CREATE TABLE gates (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL,
  repository TEXT NOT NULL,
  webhook_secret BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX gates_by_age ON gates (tenant_id, created_at, id);

-- What was answered with a success, so that it is answered once.
CREATE TABLE gate_deliveries (
  tenant_id TEXT NOT NULL,
  gate_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, gate_id, delivery_id),
  FOREIGN KEY (tenant_id, gate_id) REFERENCES gates (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- A candidate token and what it stands for; gone once it is used. binding_id: whose resource it was then.
CREATE TABLE tracker_candidates (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  token_sha256 TEXT NOT NULL,
  provider TEXT NOT NULL,
  workspace TEXT NOT NULL,
  resource_type TEXT,
  resource_id TEXT,
  binding_id TEXT,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, token_sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX tracker_candidates_expiring ON tracker_candidates (tenant_id, expires_at);

-- The external issue that a mission was made for.
CREATE TABLE tracker_mission_origins (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  mission_key TEXT NOT NULL,
  mission_slug TEXT,
  provider TEXT NOT NULL,
  external_issue_id TEXT NOT NULL,
  external_issue_key TEXT NOT NULL,
  external_issue_url TEXT NOT NULL,
  external_title TEXT NOT NULL,
  external_status TEXT NOT NULL,
  bound_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, project_id, mission_key),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
) STRICT;
