-- One text for both databases. Times are milliseconds UTC, ids and JSON are text, bodies and sealed
-- values are blobs. Every tenant table leads with tenant_id, in its keys and in its references, so
-- that a row of one tenant cannot name a row of another.

CREATE TABLE tenants (
  id TEXT NOT NULL PRIMARY KEY,
  slug TEXT UNIQUE,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
  metadata TEXT NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tenants_by_age ON tenants (created_at, id);

CREATE TABLE tenant_tokens (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  secret_sha256 TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE connections (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  provider TEXT NOT NULL,
  external_id TEXT NOT NULL,
  display_name TEXT,
  status TEXT NOT NULL CHECK (status IN ('active', 'error', 'revoked')),
  status_reason TEXT,
  access_ciphertext BLOB,
  refresh_ciphertext BLOB,
  previous_refresh_ciphertext BLOB,
  previous_refresh_valid_until INTEGER,
  token_epoch INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,
  scopes TEXT NOT NULL,
  metadata TEXT NOT NULL,
  webhook_secret BLOB,
  previous_webhook_secret BLOB,
  previous_webhook_secret_valid_until INTEGER,
  next_run_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, provider, external_id)
) STRICT;
CREATE INDEX connections_by_age ON connections (tenant_id, created_at, id);
CREATE INDEX connections_due ON connections (status, next_run_at);
CREATE INDEX connections_expiring ON connections (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX connections_previous_refresh ON connections (previous_refresh_valid_until)
  WHERE previous_refresh_valid_until IS NOT NULL;

CREATE TABLE connection_identities (
  tenant_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, provider, kind, value, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX connection_identities_of ON connection_identities (tenant_id, connection_id);
-- Over all tenants: an app-level webhook names no tenant.
CREATE INDEX connection_identities_owners ON connection_identities (provider, kind, value);

CREATE TABLE oauth_states (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  state_sha256 TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  verifier_ciphertext BLOB,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  consumed_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX oauth_states_expiring ON oauth_states (expires_at);

CREATE TABLE deliveries (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  connection_id TEXT,
  dedupe_id TEXT NOT NULL,
  status TEXT NOT NULL
    CHECK (status IN ('received', 'processed', 'ignored', 'unmatched', 'failed', 'quarantined')),
  event_type TEXT,
  provider_delivery_id TEXT,
  body_sha256 TEXT NOT NULL,
  body_bytes INTEGER NOT NULL,
  duplicates INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  received_at INTEGER NOT NULL,
  processed_at INTEGER,
  error TEXT,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, receipt_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX deliveries_by_age ON deliveries (tenant_id, received_at, id);
CREATE INDEX deliveries_waiting ON deliveries (tenant_id, received_at, id) WHERE status = 'received';
-- postgresql: ALTER TABLE deliveries ALTER body SET STORAGE EXTERNAL, ALTER headers SET STORAGE EXTERNAL;

-- Outlives the delivery that it names: that one may be gone by retention.
CREATE TABLE delivery_keys (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  dedupe_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  body_sha256 TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, provider, dedupe_id)
) STRICT, WITHOUT ROWID;

-- delivery_id and job_id are history: those rows may be gone before the signal is.
CREATE TABLE signals (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  provider TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  entity_version TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  dedupe_key TEXT NOT NULL,
  delivery_id TEXT,
  job_id TEXT,
  payload TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, provider, dedupe_key),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX signals_by_time ON signals (tenant_id, occurred_at, id);
CREATE INDEX signals_of_entity ON signals (tenant_id, provider, entity, entity_version);
-- postgresql: ALTER TABLE signals ALTER payload SET STORAGE EXTERNAL;

-- What a receipt stands for. A signal that retention took away stays named here.
CREATE TABLE delivery_signals (
  tenant_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  signal_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id, position),
  FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_jobs (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  provider TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  delivery_id TEXT,
  job_type TEXT NOT NULL CHECK (job_type IN ('full', 'incremental', 'webhook')),
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  counted_failures INTEGER NOT NULL DEFAULT 0,
  scheduled_at INTEGER NOT NULL,
  retry_after INTEGER,
  started_at INTEGER,
  finished_at INTEGER,
  cursor TEXT,
  error TEXT,
  signals_emitted INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_expires_at INTEGER,
  fence INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX sync_jobs_one_incremental ON sync_jobs (tenant_id, connection_id)
  WHERE job_type = 'incremental' AND status IN ('queued', 'running');
CREATE INDEX sync_jobs_due ON sync_jobs (status, priority DESC, scheduled_at)
  WHERE status IN ('queued', 'running');
CREATE INDEX sync_jobs_live ON sync_jobs (tenant_id, connection_id) WHERE status IN ('queued', 'running');
CREATE INDEX sync_jobs_by_time ON sync_jobs (tenant_id, scheduled_at, id);

CREATE TABLE refresh_intents (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  fence INTEGER NOT NULL,
  refresh_sha256 TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  lease_expires_at INTEGER NOT NULL,
  outcome TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX refresh_intents_by_age ON refresh_intents (started_at);
CREATE UNIQUE INDEX refresh_intents_open ON refresh_intents (tenant_id, connection_id) WHERE outcome IS NULL;

-- What the signal engine has not looked at yet. Written with the signal, deleted with the verdict.
CREATE TABLE unscored_signals (
  tenant_id TEXT NOT NULL,
  signal_id TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, signal_id),
  FOREIGN KEY (tenant_id, signal_id) REFERENCES signals (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- words and began_at are those of the cluster's first signal. notify_at: nobody was told yet, and
-- nobody tries before then.
CREATE TABLE grounded_signals (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  signal_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  scores TEXT NOT NULL,
  total REAL NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'recommended', 'actioned')),
  evidence TEXT NOT NULL,
  recommendation TEXT,
  words BLOB NOT NULL,
  began_at INTEGER NOT NULL,
  notify_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, idempotency_key),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX grounded_signals_by_age ON grounded_signals (tenant_id, created_at, id);
CREATE INDEX grounded_signals_by_cluster ON grounded_signals (tenant_id, began_at);
CREATE INDEX grounded_signals_to_notify ON grounded_signals (notify_at) WHERE notify_at IS NOT NULL;

CREATE TABLE signal_configs (
  tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
  threshold REAL NOT NULL,
  weights TEXT,
  webhook_url TEXT,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshots (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  checksum TEXT NOT NULL,
  body BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, revision)
) STRICT;
-- postgresql: ALTER TABLE snapshots ALTER body SET STORAGE EXTERNAL;

-- No tenant where several are concerned, and where one is deleted: that row outlives it.
CREATE TABLE audit_log (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT REFERENCES tenants (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  outcome TEXT NOT NULL,
  trace_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_by_time ON audit_log (tenant_id, at, id);

-- Without a tenant from here on.

CREATE TABLE unrouted_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  provider TEXT NOT NULL,
  event_type TEXT,
  dedupe_id TEXT NOT NULL,
  provider_delivery_id TEXT,
  identities TEXT NOT NULL,
  body_sha256 TEXT NOT NULL,
  body_bytes INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (provider, dedupe_id, body_sha256)
) STRICT;
CREATE INDEX unrouted_deliveries_by_age ON unrouted_deliveries (received_at, id);
CREATE INDEX unrouted_deliveries_of_provider ON unrouted_deliveries (provider, received_at, id);
-- postgresql: ALTER TABLE unrouted_deliveries ALTER body SET STORAGE EXTERNAL;

-- A scope of a tenant begins with its id. Written together with the effect that the answer tells of.
CREATE TABLE idempotency_keys (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  body_sha256 TEXT NOT NULL,
  status INTEGER NOT NULL,
  location TEXT NOT NULL,
  body TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiring ON idempotency_keys (expires_at);

CREATE TABLE key_checks (
  key_id TEXT NOT NULL PRIMARY KEY,
  ciphertext BLOB NOT NULL
) STRICT, WITHOUT ROWID;
