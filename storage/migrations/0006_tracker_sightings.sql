-- What each view said of an issue when it last showed it. An issue that only snapshots have shown has no row:
-- its content says it all. A snapshot's own row is written when it says something else than before, so that
-- it was seen last is the issue's to tell.
CREATE TABLE tracker_sightings (
  tenant_id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  issue_id TEXT NOT NULL,
  view TEXT NOT NULL CHECK (view IN ('snapshot', 'poll', 'webhook')),
  status TEXT NOT NULL,
  external_updated_at INTEGER,
  seen_at INTEGER NOT NULL,
  unmapped TEXT NOT NULL,
  PRIMARY KEY (tenant_id, binding_id, issue_id, view),
  FOREIGN KEY (tenant_id, issue_id) REFERENCES tracker_issues (tenant_id, id) ON DELETE CASCADE
) STRICT;
