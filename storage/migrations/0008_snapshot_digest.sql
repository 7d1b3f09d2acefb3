-- What a snapshot that says the same again need not compare issue by issue, and its count of absent issues.

ALTER TABLE tracker_bindings ADD COLUMN issues_digest TEXT;
CREATE INDEX tracker_issues_absent ON tracker_issues (tenant_id, binding_id) WHERE presence = 'absent';
