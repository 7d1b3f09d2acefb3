-- Projects, their work packages and the feed. What is listed in the order of a text is compared byte by
-- byte, on PostgreSQL too; whoever joins on such a column gives its own the same collation.

CREATE TABLE team_flags (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  project_uuid TEXT,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, project_uuid),
  UNIQUE (tenant_id, slug)
) STRICT;
-- postgresql: ALTER TABLE projects ALTER slug TYPE TEXT COLLATE "C";

CREATE TABLE closed_missions (
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  mission TEXT NOT NULL,
  closed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, project_id, mission),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- postgresql: ALTER TABLE closed_missions ALTER mission TYPE TEXT COLLATE "C";

-- mission is empty for none. lane_*: the event that set the lane last, in the order of events.
CREATE TABLE work_packages (
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  wp_id TEXT NOT NULL,
  mission TEXT NOT NULL,
  title TEXT,
  lane TEXT NOT NULL,
  assignee TEXT,
  priority INTEGER,
  lane_clock INTEGER,
  lane_node TEXT,
  lane_event TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, project_id, wp_id, mission),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- postgresql: ALTER TABLE work_packages ALTER wp_id TYPE TEXT COLLATE "C", ALTER mission TYPE TEXT COLLATE "C";

-- seq of the newest row of each feed.
CREATE TABLE feeds (
  tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ids are history: a binding may be gone before the row is. of_tracker hides it while the flag is off.
CREATE TABLE activity (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  of_tracker INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  project_id TEXT,
  project_slug TEXT,
  wp_id TEXT,
  mission TEXT,
  binding_id TEXT,
  actor_kind TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  summary TEXT NOT NULL,
  url TEXT,
  payload TEXT NOT NULL,
  PRIMARY KEY (tenant_id, seq)
) STRICT;
CREATE INDEX activity_of_type ON activity (tenant_id, type, seq);
CREATE INDEX activity_of_project ON activity (tenant_id, project_id, seq);
CREATE INDEX activity_of_wp ON activity (tenant_id, wp_id, seq) WHERE wp_id IS NOT NULL;
CREATE INDEX activity_of_binding ON activity (tenant_id, binding_id, seq) WHERE binding_id IS NOT NULL;
CREATE INDEX activity_without_tracker ON activity (tenant_id, seq) WHERE of_tracker = 0;

-- What clients reported, once each. The envelope holds also the members that nothing here reads.
CREATE TABLE client_events (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  event_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  envelope TEXT NOT NULL,
  PRIMARY KEY (tenant_id, event_id)
) STRICT;
