-- Secrets are kept as their SHA-256.
CREATE TABLE dashboard_sessions (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  secret_sha256 TEXT NOT NULL UNIQUE,
  token_id TEXT,
  who TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, secret_sha256),
  FOREIGN KEY (tenant_id, token_id) REFERENCES tenant_tokens (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX dashboard_sessions_ending ON dashboard_sessions (expires_at);

CREATE TABLE dashboard_doors (
  tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  secret_sha256 TEXT NOT NULL UNIQUE,
  who TEXT NOT NULL,
  scopes TEXT NOT NULL,
  return_path TEXT NOT NULL,
  session_seconds INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, secret_sha256)
) STRICT;
CREATE INDEX dashboard_doors_closing ON dashboard_doors (expires_at);
